package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
	"pgregory.net/rapid"
)

func TestQuantilesAreExactToABucket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.SliceOfN(rapid.Int64Range(0, 1<<40), 1, 300).Draw(t, "us")
		var h, left, right report.Histogram
		for i, v := range us {
			h.Add(time.Duration(v)*time.Microsecond, 1)
			half := &left
			if i%2 == 1 {
				half = &right
			}
			half.Add(time.Duration(v)*time.Microsecond, 1)
		}
		left.Merge(&right)
		if !reflect.DeepEqual(h, left) {
			t.Fatal("two halves merged differ from the whole")
		}
		q := rapid.Float64Range(0, 0.9999).Draw(t, "q")
		got, rank := h.Quantile(q), int(q*float64(len(us)))
		below, within := 0, 0 // records the answer covers, and those a bucket less covers
		for _, v := range us {
			if float64(v) <= got {
				below++
			}
			if float64(v)*(1+1.0/32)+1 < got {
				within++
			}
		}
		if below <= rank || within > rank {
			t.Fatalf("quantile %v of %v is %v: covers %d, clearly covers %d, rank %d", q, us, got, below, within, rank)
		}
	})
}

func TestBucketsCountEverything(t *testing.T) {
	var h report.Histogram
	if h.Latency() != nil {
		t.Fatal("an empty histogram has a latency")
	}
	for us := range 1000 {
		h.Add(time.Duration(us)*time.Microsecond, 2)
	}
	l, sum, last := h.Latency(), uint64(0), -1.0
	for _, b := range l.Buckets {
		if b.UpTo <= last {
			t.Fatalf("bucket %v after %v", b.UpTo, last)
		}
		last, sum = b.UpTo, sum+b.Count
	}
	if sum != 2000 || l.Max != 999 || h.N() != 2000 {
		t.Fatalf("counted %d of %d, max %v", sum, h.N(), l.Max)
	}
}

func TestAHistogramSurvivesTheWire(t *testing.T) {
	var in, out report.Histogram
	for us := range 5000 {
		in.Add(time.Duration(us*us)*time.Microsecond+3, uint64(us%3))
	}
	wire, err := json.Marshal(struct{ H report.Histogram }{in}) // as a value, inside another
	if err != nil {
		t.Fatal(err)
	}
	var back struct{ H *report.Histogram }
	back.H = &out
	if err := json.Unmarshal(wire, &back); err != nil || !reflect.DeepEqual(in, out) {
		t.Fatal("not the same", err)
	}
	if err := json.Unmarshal([]byte(`{"counts":{"99999":1}}`), &out); err == nil {
		t.Fatal("a bucket that does not exist")
	}
}

func TestResultsSurviveTheFile(t *testing.T) {
	in := report.Result{Scenario: "broadcast", Server: "x", Connections: 3, Deliveries: report.Count{Expected: 3, Delivered: 3}}
	var file bytes.Buffer
	for range 2 {
		if err := in.Write(&file); err != nil {
			t.Fatal(err)
		}
	}
	out, err := report.Read(&file)
	if err != nil || !reflect.DeepEqual(out, []report.Result{in, in}) {
		t.Fatal(out, err)
	}
	if !in.Deliveries.Complete() || (report.Count{Expected: 2, Delivered: 1, Lost: 1}).Complete() {
		t.Fatal("Complete is wrong")
	}
}

func TestAProcessTellsWhatItUses(t *testing.T) {
	me := report.Process(os.Getpid())
	rss, err := me.RSS()
	if err != nil || rss < 1<<20 {
		t.Fatal(rss, err)
	}
	before, err := me.Scheduled()
	if err != nil {
		t.Fatal(err)
	}
	for sum, end := 0, time.Now().Add(30*time.Millisecond); time.Now().Before(end); sum++ {
		_ = sum
	}
	after, err := me.Scheduled()
	if err != nil || after <= before {
		t.Fatal(before, after, err)
	}
	if _, _, err := me.CPU(); err != nil {
		t.Fatal(err)
	}
	if _, err := report.Process(-1).RSS(); err == nil {
		t.Fatal("no such process has no memory")
	}
}
