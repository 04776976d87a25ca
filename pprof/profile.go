package pprof

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"net/http"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strconv"
	"strings"
	"time"
)

// How long profiles over a time run.
const (
	cpuDuration   = 30 * time.Second // of /debug/pprof/profile unless asked otherwise, as in net/http/pprof
	traceDuration = 1 * time.Second  // of /debug/pprof/trace, likewise
	maxDuration   = 60 * time.Second // of either
)

// profilePage lists the profiles.
var profilePage = template.Must(template.New("profiles").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Profiles</title></head><body>
<h1>Profiles</h1>
<table>
<tr><th>Count</th><th>Profile</th></tr>
{{range .}}<tr><td>{{.Count}}</td><td><a href="{{.Name}}?debug=1">{{.Name}}</a></td></tr>
{{end}}</table>
<p><a href="goroutine?debug=2">All goroutines, in full</a></p>
<p><a href="profile?seconds=30">profile</a>: what the CPU does, for 30 s (at most 60)</p>
<p><a href="trace?seconds=1">trace</a>: the execution, for 1 s (at most 60)</p>
<p><a href="mutex?seconds=10">mutex</a> and <a href="block?seconds=10">block</a>: who waits for whom, for 10 s (at most 60); off otherwise</p>
<p><a href="cmdline">cmdline</a>: how the program was started</p>
<p>With <code>go tool pprof http://this.address/debug/pprof/profile</code> they are easier to read.</p>
</body></html>
`))

// registerProfiles adds everything below /debug/pprof/.
func registerProfiles(mux *http.ServeMux, args []string) {
	mux.Handle("GET /debug/pprof", http.RedirectHandler("/debug/pprof/", http.StatusMovedPermanently))
	mux.HandleFunc("GET /debug/pprof/{$}", listProfiles)
	mux.HandleFunc("GET /debug/pprof/cmdline", showCommandLine(args))
	mux.HandleFunc("GET /debug/pprof/profile", profileCPU)
	mux.HandleFunc("GET /debug/pprof/trace", traceExecution)
	mux.HandleFunc("GET /debug/pprof/mutex", profileMutex)
	mux.HandleFunc("GET /debug/pprof/block", profileBlock)
	mux.HandleFunc("GET /debug/pprof/{name}", showProfile)
}

func listProfiles(w http.ResponseWriter, _ *http.Request) {
	profiles := pprof.Profiles()
	slices.SortFunc(profiles, func(a, b *pprof.Profile) int { return strings.Compare(a.Name(), b.Name()) })
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = profilePage.Execute(w, profiles) // fails when the client is gone only
}

// showCommandLine separates the arguments by NUL, as go tool pprof expects them.
func showCommandLine(args []string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = fmt.Fprint(w, strings.Join(args, "\x00"))
	}
}

// showProfile writes the profile that the path names.
func showProfile(w http.ResponseWriter, r *http.Request) { showNamed(w, r, r.PathValue("name")) }

// showNamed writes a profile as it is at this moment: binary, or as text with debug=1 or 2. gc=1 collects garbage first, so that heap
// shows what lives.
func showNamed(w http.ResponseWriter, r *http.Request, name string) {
	p := pprof.Lookup(name)
	if p == nil {
		http.Error(w, "pprof: there is no profile of that name; see /debug/pprof/", http.StatusNotFound)
		return
	}
	debug, err := strconv.Atoi(cmp.Or(r.FormValue("debug"), "0"))
	if err != nil || r.FormValue("seconds") != "" {
		http.Error(w, "pprof: debug is a number, and seconds is for profile, trace, mutex and block only", http.StatusBadRequest)
		return
	}
	if name == "heap" && r.FormValue("gc") == "1" {
		runtime.GC()
	}
	if debug > 0 {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	} else {
		asFile(w, name)
	}
	_ = p.WriteTo(w, debug)
}

// profileCPU records where CPU time goes. The runtime records one such profile at a time.
func profileCPU(w http.ResponseWriter, r *http.Request) {
	record(w, r, "profile", cpuDuration, func() error { return pprof.StartCPUProfile(w) }, pprof.StopCPUProfile)
}

// traceExecution records what the scheduler does.
func traceExecution(w http.ResponseWriter, r *http.Request) {
	record(w, r, "trace", traceDuration, func() error { return trace.Start(w) }, trace.Stop)
}

// record runs between start and stop for the time asked for, or until the client or the server goes.
func record(w http.ResponseWriter, r *http.Request, name string, usual time.Duration, start func() error, stop func()) {
	d, err := duration(r, usual)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	asFile(w, name)
	if err := start(); err != nil {
		w.Header().Del("Content-Disposition")
		http.Error(w, "pprof: "+err.Error()+"; another one is being recorded", http.StatusConflict)
		return
	}
	defer stop()
	pause(r.Context(), d)
}

// duration is the request's seconds, which may be a fraction.
func duration(r *http.Request, usual time.Duration) (time.Duration, error) {
	asked := r.FormValue("seconds")
	if asked == "" {
		return usual, nil
	}
	s, err := strconv.ParseFloat(asked, 64)
	if err != nil || !(s > 0 && s <= maxDuration.Seconds()) { // NaN is refused too
		return 0, fmt.Errorf("pprof: seconds is a number above 0, up to %v", maxDuration.Seconds())
	}
	return time.Duration(s * float64(time.Second)), nil
}

// pause waits for d or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// asFile makes a browser save the body.
func asFile(w http.ResponseWriter, name string) {
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s"`, name))
}
