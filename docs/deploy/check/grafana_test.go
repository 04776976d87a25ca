package check_test

import (
	"os"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

func TestTheDashboardIsWhatGrafanaReads(t *testing.T) {
	known := cog.NewRuntime()
	known.RegisterPanelcfgVariant(stat.VariantConfig())
	known.RegisterPanelcfgVariant(timeseries.VariantConfig())
	known.RegisterDataqueryVariant(prometheus.VariantConfig())
	file, err := os.ReadFile("../grafana/fanfare.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard.Dashboard
	if err := d.UnmarshalJSONStrict(file); err != nil {
		t.Fatal(err)
	}
	if err := d.Validate(); err != nil {
		t.Error(err)
	}
	ids, rows := map[uint32]bool{}, 0
	for _, p := range d.Panels {
		if p.RowPanel != nil {
			rows++
			continue
		}
		if ids[*p.Panel.Id] || len(p.Panel.Targets) == 0 || *p.Panel.Title == "" {
			t.Errorf("panel %d %s", *p.Panel.Id, *p.Panel.Title)
		}
		ids[*p.Panel.Id] = true
	}
	if rows < 8 || len(ids) < 30 {
		t.Errorf("%d rows, %d panels", rows, len(ids))
	}
	for from, to := range map[string]string{`"gridPos"`: `"gridPosition"`, `"drawStyle"`: `"drawStile"`, `"legendFormat"`: `"legend"`} {
		var wrong dashboard.Dashboard
		if text := strings.Replace(string(file), from, to, 1); wrong.UnmarshalJSONStrict([]byte(text)) == nil {
			t.Errorf("%s is taken", to)
		}
	}
}
