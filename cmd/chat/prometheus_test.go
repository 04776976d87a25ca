package main_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// deploy is the folder of recipes.
const deploy = "../../docs/deploy"

// rule is an alert.
type rule struct{ Alert, Expr string }

func alerts(t *testing.T) []rule {
	t.Helper()
	var file struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal(read(t, filepath.Join(deploy, "prometheus/alerts.yml")), &file); err != nil {
		t.Fatal(err)
	}
	return file.Groups[0].Rules
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// alertTests are promtool's.
type alertTests struct {
	Tests []struct {
		Name            string
		PromqlExprTests []struct {
			Samples []struct{ Labels string } `yaml:"exp_samples"`
		} `yaml:"promql_expr_test"`
	}
}

// Each alert has a test in which it fires, and no other does.
func TestAlertsFireWhenTheyShould(t *testing.T) {
	notShort(t)
	promtool := packaged(t, "promtool", "prometheus")
	folder := filepath.Join(deploy, "prometheus")
	prints(t, exec.Command(promtool, "check", "rules", folder+"/alerts.yml"))
	prints(t, exec.Command(promtool, "check", "config", folder+"/prometheus.yml"))
	prints(t, exec.Command(promtool, "test", "rules", folder+"/alerts_test.yml"))

	var tests alertTests
	if err := yaml.Unmarshal(read(t, folder+"/alerts_test.yml"), &tests); err != nil {
		t.Fatal(err)
	}
	fired := map[string]int{"": 1}
	for _, tt := range tests.Tests {
		for _, q := range tt.PromqlExprTests {
			for _, s := range q.Samples {
				fired[strings.Trim(strings.TrimPrefix(s.Labels, "{alertname="), `"}`)]++
			}
		}
	}
	all := alerts(t)
	if len(all) < 8 {
		t.Errorf("%d alerts", len(all))
	}
	for _, r := range all {
		if fired[r.Alert] != 1 {
			t.Errorf("%s fires in %d tests", r.Alert, fired[r.Alert])
		}
	}
	// A rule that never fires fails its test.
	mute := t.TempDir()
	for _, name := range []string{"alerts.yml", "alerts_test.yml"} {
		text := strings.Replace(string(read(t, filepath.Join(folder, name))), "fanfare_handlers_waiting > 100", "fanfare_handlers_waiting > 1e9", 1)
		rewrite(t, filepath.Join(mute, name), text)
	}
	if out, err := exec.Command(promtool, "test", "rules", mute+"/alerts_test.yml").CombinedOutput(); err == nil || !strings.Contains(string(out), "FanfareHandlersBusy") {
		t.Errorf("the tests of alerts cannot fail: %s", out)
	}
}

// panel is a part of the dashboard that asks questions.
type panel struct {
	Title   string
	Targets []struct{ Expr string }
}

func dashboard(t *testing.T) (panels []panel) {
	t.Helper()
	var d struct{ Panels []panel }
	if err := json.Unmarshal(read(t, filepath.Join(deploy, "grafana/fanfare.json")), &d); err != nil {
		t.Fatal(err)
	}
	return d.Panels
}

// metricName finds the names of metrics that a question is about.
var metricName = regexp.MustCompile(`\b(?:fanfare|go|process)_[a-z_]+\b`)

func TestDashboardAndAlertsAskForMetricsThereAre(t *testing.T) {
	p := start(t, anywhere())
	dialWebSocket(t, p.url).close() // the first of a reason appears with it
	p.counts(map[string]float64{`fanfare_disconnects_total{reason="transport close"}`: 1})
	exposed := map[string]bool{}
	for name := range metrics(t, p) {
		name, _, _ = strings.Cut(name, "{")
		exposed[name] = true
	}
	questions := map[string]string{}
	for _, r := range alerts(t) {
		questions[r.Expr] = r.Alert
	}
	asked := 0
	for _, panel := range dashboard(t) {
		for _, target := range panel.Targets {
			questions[target.Expr] = panel.Title
			asked++
		}
	}
	if asked < 60 {
		t.Errorf("the dashboard asks %d questions", asked)
	}
	for expr, of := range questions {
		names := metricName.FindAllString(expr, -1)
		if len(names) == 0 && !strings.Contains(expr, "up{") {
			t.Errorf("%s asks for nothing: %s", of, expr)
		}
		for _, name := range names {
			if !exposed[name] {
				t.Errorf("%s asks for %s, which the program does not have", of, name)
			}
		}
	}
}

// A real Prometheus, with the recipe's configuration, reads the program; the questions of
// the dashboard have answers, and no alert fires.
func TestPrometheusReadsTheProgram(t *testing.T) {
	notShort(t)
	prometheus := packaged(t, "prometheus", "prometheus")
	p := start(t, anywhere())
	s := dialWebSocket(t, p.url)
	s.emit("chatMessage", "one")
	s.expect(`42["reply","one"`)

	folder := t.TempDir()
	rewrite(t, filepath.Join(folder, "alerts.yml"), string(read(t, deploy+"/prometheus/alerts.yml")))
	recipe := string(read(t, deploy+"/prometheus/prometheus.yml"))
	for from, to := range map[string]string{"127.0.0.1:6060": strings.TrimPrefix(p.admin, "http://"), "_interval: 15s": "_interval: 200ms"} {
		if !strings.Contains(recipe, from) {
			t.Fatalf("the recipe has no %s", from)
		}
		recipe = strings.ReplaceAll(recipe, from, to)
	}
	rewrite(t, filepath.Join(folder, "prometheus.yml"), recipe)
	address := "127.0.0.1:" + freePort(t)
	background(t, exec.Command(prometheus, "--config.file="+folder+"/prometheus.yml", "--storage.tsdb.path="+folder+"/data",
		"--web.listen-address="+address, "--log.level=warn"))

	ask := func(query string) (values []string, err error) {
		a, err := try("GET", "http://"+address+"/api/v1/query?query="+url.QueryEscape(query), "")
		if err != nil {
			return nil, err
		}
		var answer struct {
			Status, Error string
			Data          struct {
				Result []struct{ Value [2]any }
			}
		}
		if err := json.Unmarshal([]byte(a.body), &answer); err != nil || answer.Status != "success" {
			return nil, fmt.Errorf("%d %s %w", a.StatusCode, answer.Error, err)
		}
		for _, r := range answer.Data.Result {
			values = append(values, fmt.Sprint(r.Value[1]))
		}
		return values, nil
	}
	eventually(t, func() error {
		for query, want := range map[string]string{
			`up{job="fanfare"}`: "1", `sum(fanfare_connections)`: "1", `count(rate(fanfare_events_received_total[2s]))`: "1",
		} {
			if got, err := ask(query); err != nil || !slices.Equal(got, []string{want}) {
				return fmt.Errorf("%s: %v %w", query, got, errors.Join(err, errors.New("not yet")))
			}
		}
		return nil
	})
	variables := strings.NewReplacer("$job", ".*", "$instance", ".*", "$__rate_interval", "2s")
	empty := 0
	for _, panel := range dashboard(t) {
		for _, target := range panel.Targets {
			got, err := ask(variables.Replace(target.Expr))
			if err != nil {
				t.Errorf("%s: %s: %v", panel.Title, target.Expr, err)
			}
			if len(got) == 0 {
				empty++
				t.Logf("%s: nothing yet", panel.Title)
			}
		}
	}
	if empty > 6 {
		t.Errorf("%d questions have no answer", empty)
	}
	if got, err := ask(`ALERTS{alertstate="firing"}`); err != nil || len(got) > 0 {
		t.Errorf("alerts fire: %v %v", got, err)
	}
}

// background runs a program, with whatever that starts, until the test ends.
func background(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var out output
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = patience
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it was asked to end
	}()
	t.Cleanup(func() {
		group := -cmd.Process.Pid
		_ = syscall.Kill(group, syscall.SIGTERM) // has ended by itself, perhaps
		kill := time.AfterFunc(5*time.Second, func() { _ = syscall.Kill(group, syscall.SIGKILL) })
		<-ended
		kill.Stop()
		if t.Failed() {
			t.Logf("%s wrote:\n%s", cmd.Path, &out)
		}
	})
}
