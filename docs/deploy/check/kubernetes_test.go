package check_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// objects decodes the manifest as the API server does, which refuses fields there are not.
func objects(t *testing.T) (all []runtime.Object) {
	t.Helper()
	manifest, err := os.ReadFile("../k8s/fanfare.yaml")
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{apps.AddToScheme, autoscaling.AddToScheme, core.AddToScheme, networking.AddToScheme, policy.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
	docs := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(manifest)))
	for {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := strict.Decode(doc, nil, nil)
		if err != nil {
			t.Fatalf("%v in\n%s", err, doc)
		}
		all = append(all, object)
	}
}

// find returns the one object of its type.
func find[T runtime.Object](t *testing.T, all []runtime.Object) (found T) {
	t.Helper()
	n := 0
	for _, o := range all {
		if x, ok := o.(T); ok {
			found, n = x, n+1
		}
	}
	if n != 1 {
		t.Fatalf("%d objects of type %T", n, found)
	}
	return found
}

func TestTheManifestIsWhatKubernetesReads(t *testing.T) {
	all := objects(t)
	pod := find[*apps.Deployment](t, all)
	labels := pod.Spec.Template.Labels
	for name, selector := range map[string]map[string]string{
		"the deployment's":        pod.Spec.Selector.MatchLabels,
		"the service's":           find[*core.Service](t, all).Spec.Selector,
		"the disruption budget's": find[*policy.PodDisruptionBudget](t, all).Spec.Selector.MatchLabels,
	} {
		for k, v := range selector {
			if labels[k] != v {
				t.Errorf("%s selector %v does not select pods with %v", name, selector, labels)
			}
		}
		if len(selector) == 0 {
			t.Errorf("%s selector is empty", name)
		}
	}
	service := find[*core.Service](t, all)
	backend := find[*networking.Ingress](t, all).Spec.Rules[0].HTTP.Paths[0].Backend.Service
	if backend.Name != service.Name || backend.Port.Name != service.Spec.Ports[0].Name {
		t.Errorf("the ingress goes to %+v", backend)
	}
	scaled := find[*autoscaling.HorizontalPodAutoscaler](t, all).Spec
	if scaled.ScaleTargetRef.Name != pod.Name || scaled.Metrics[0].Pods.Metric.Name != "fanfare_connections" {
		t.Errorf("scales %+v", scaled)
	}
	if *scaled.MinReplicas < 2 || *pod.Spec.Replicas < 2 {
		t.Error("a single instance has nobody to go to while it is replaced")
	}
}

func TestAPodHasTheTimeItTakesToStop(t *testing.T) {
	pod := find[*apps.Deployment](t, objects(t)).Spec.Template.Spec
	c := pod.Containers[0]
	takes := time.Duration(c.Lifecycle.PreStop.Sleep.Seconds)*time.Second + 60*time.Second + 10*time.Second // --drain-over, --shutdown-timeout
	if pod.EnableServiceLinks == nil || *pod.EnableServiceLinks {
		t.Error("the Service's FANFARE_PORT would be taken for the option")
	}
	if has := time.Duration(*pod.TerminationGracePeriodSeconds) * time.Second; has <= takes {
		t.Errorf("it has %v and takes up to %v", has, takes)
	}
	ports := map[string]bool{}
	for _, p := range c.Ports {
		ports[p.Name] = true
	}
	for _, probe := range []*core.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
		if !ports[probe.HTTPGet.Port.StrVal] || probe.TimeoutSeconds == 1 {
			t.Errorf("probe %+v", probe)
		}
	}
	if !*pod.SecurityContext.RunAsNonRoot || !*c.SecurityContext.ReadOnlyRootFilesystem || *c.SecurityContext.AllowPrivilegeEscalation {
		t.Error("it may do more than it has to")
	}
	for _, v := range c.Env {
		if v.Name == "GOMEMLIMIT" {
			request, limit := c.Resources.Requests.Memory(), c.Resources.Limits.Memory()
			if v.ValueFrom.ResourceFieldRef.Resource != "requests.memory" || request.Cmp(*limit) >= 0 {
				t.Errorf("GOMEMLIMIT is %v, the limit %v", request, limit)
			}
			return
		}
	}
	t.Error("no GOMEMLIMIT")
}

// A test that could not fail would be none.
func TestWhatKubernetesDoesNotKnowIsRefused(t *testing.T) {
	manifest, err := os.ReadFile("../k8s/fanfare.yaml")
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	if err := apps.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
	deployment := bytes.Split(manifest, []byte("\n---\n"))[1]
	for from, to := range map[string]string{"readinessProbe:": "readynessProbe:", "replicas: 2": "replicas: two"} {
		wrong := strings.Replace(string(deployment), from, to, 1)
		if _, _, err := strict.Decode([]byte(wrong), nil, nil); wrong == string(deployment) || err == nil {
			t.Errorf("%s is taken", to)
		}
	}
	if _, _, err := strict.Decode(deployment, nil, nil); err != nil {
		t.Error(err)
	}
}
