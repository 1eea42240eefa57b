package console_test

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/link"
	"muster/internal/planrun"
	"muster/internal/store"
	"muster/internal/timeline"
)

// script is what looks at pages in a real browser.
const script = "../../tools/pages/check.mjs"

// wantBrowser skips the test where there is no browser, unless one is required.
func wantBrowser(t *testing.T) {
	t.Helper()
	_, node := exec.LookPath("node")
	_, modules := os.Stat(filepath.Join(filepath.Dir(script), "node_modules", "playwright-core"))
	_, chromium := exec.LookPath(cmp.Or(os.Getenv("CHROMIUM"), "/usr/bin/chromium"))
	missing := errors.Join(node, modules, chromium)
	switch {
	case missing == nil:
	case os.Getenv("MUSTER_BROWSER") == "required":
		t.Fatalf("a browser is required: %v", missing)
	default:
		t.Skipf("no browser here (see tools/pages): %v", missing)
	}
}

// shots is the folder for screenshots.
func shots(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("MUSTER_ARTEFACTS")
	if dir == "" {
		return t.ArtifactDir()
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "pages")
}

// look runs the script over pages, signed in by a token where there is one, and returns what it says.
func look(t *testing.T, token string, args ...string) (said string, err error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "node", append([]string{script, "--out", shots(t)}, args...)...)
	c.Env = append(os.Environ(), "MUSTER_TOKEN="+token)
	out, err := c.CombinedOutput()
	return string(out), err
}

func wantFine(t *testing.T, token string, args ...string) {
	t.Helper()
	if said, err := look(t, token, args...); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}

// TestBrowser has a real browser look at every kind of page, sign in, acknowledge, escalate and make a token.
func TestBrowser(t *testing.T) {
	wantBrowser(t)
	var p *place
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { p.ServeHTTP(w, r) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	i := newIssuer(t, begin)
	i.URL = server.URL + "/issuer"
	mux.Handle("/issuer/", http.StripPrefix("/issuer", i))
	p = newPlace(t, withProvider(i.provider(server.URL+"/login/callback")))

	mail := func(who string, change ...func(*link.Link)) string { return server.URL + p.link(who, change...) }
	wantFine(t, "", "no-page="+server.URL+"/nowhere", "link="+mail("kim"), "link-changed="+mail("kim", func(l *link.Link) { l.Content = "other" }),
		"link-expired="+mail("kim", func(l *link.Link) { l.Expires = begin() }), "link-invalid="+mail("kim")+"x", "link-may-not="+mail("park"))
	if n := p.count(timeline.Acknowledged); n != 0 {
		t.Fatalf("acknowledged %d times by looking, want none", n)
	}

	wantFine(t, "", "--press", "button.primary", "acknowledge="+mail("kim"))
	if n, used := p.count(timeline.Acknowledged), p.used("page/kim/1"); n != 1 || used != "acknowledge" {
		t.Errorf("acknowledged %d times, the link used for %q; want once and acknowledge", n, used)
	}
	wantFine(t, "", "--fill", "#reason=데이터베이스 권한이 없음", "--press", "#escalate ~ form button", "escalate="+mail("lee"))
	if n := p.count(timeline.Escalated); n != 1 {
		t.Errorf("escalated %d times, want once", n)
	}

	wantFine(t, "", "form="+server.URL+p.form("lee"), "form-customer="+server.URL+p.form("garam/it-desk"))
	wantFine(t, "", "--fill", "#title=주문이 멈춤", "--fill", "#service=seoul-platform", "--press", "button.primary", "report="+server.URL+p.form("lee"))
	if len(p.opened) != 1 {
		t.Errorf("got %d incidents reported, want one", len(p.opened))
	}
	wantFine(t, "", "--fill", "#not-fixed-reason=주문이 아직 멈춰 있음", "--press", "#not-fixed ~ form button", "answer="+server.URL+p.asking("nuri/it-manager"))
	if n := p.count(timeline.FixAnswered); n != 1 {
		t.Errorf("answered %d times, want once", n)
	}

	run := p.yard.rehearsed()
	runs := server.URL + "/plan-runs"
	doer, _ := p.token(as("kim"))
	wantFine(t, "", "ballot="+server.URL+p.ballot("choi", planrun.VoteWanted), "ballot-stranger="+server.URL+p.ballot("jung", planrun.VoteWanted))
	if n := len(p.yard.asked); n != 0 {
		t.Errorf("looking has asked the run %d times", n)
	}
	wantFine(t, "", "--fill", "#say-reject=on", "--fill", "#reason=감사 전에는 안 됨", "--press", "button.primary", "vote="+server.URL+p.ballot("seo", planrun.VoteWanted))
	if n := len(p.entries(timeline.VoteCast)); n != 1 {
		t.Errorf("voted %d times, want once", n)
	}
	wantFine(t, doer, "home="+server.URL, "runs="+runs, "calendar="+server.URL+"/change-calendar", "run="+runs+"/"+string(run.ID), "votes="+runs+"/"+string(run.ID)+"/votes/approve")
	wantFine(t, doer, "--press", ".card button.primary", "--until", "/plan-runs/"+string(run.ID), "begin="+runs+"/"+string(run.ID))
	if s, _, _ := run.Task("scan"); s.Status != planrun.Begun {
		t.Errorf("the scan is %s, want begun", s.Status)
	}

	wantFine(t, "", "--press", `[action^="/login/start"] button`, "--until", "/", "login="+server.URL+"/login")
	secret, _ := p.token(func(t *store.Token) { t.Label = strings.Repeat("long-label-", 9) })
	wantFine(t, secret, "--fill", "#label=노트북", "--press", `[action^="/account/tokens?"] button`, "account="+server.URL+"/account")
	if all, err := p.store.Tokens(t.Context()); err != nil || len(all) != 3 || all[0].Label != "노트북" {
		t.Errorf("got %d tokens, %v; want one more, 노트북", len(all), err)
	}
	if strings.Contains(p.log.String(), secret) {
		t.Error("the log holds a token")
	}
}

// TestBrowserSeesFaults shows the script a page with one fault of each kind.
func TestBrowserSeesFaults(t *testing.T) {
	wantBrowser(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src 'self' http://other.invalid")
		_, _ = io.WriteString(w, `<!DOCTYPE html><html lang="de"><title>x</title><main><h1>x</h1><p style="color: red">`+strings.Repeat("x", 500)+`</p>
			<img src="http://other.invalid/x.png" alt="x"><input><a href="/" tabindex="5">x</a></main>`)
	}))
	t.Cleanup(server.Close)
	said, err := look(t, "", "bad="+server.URL)
	if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.ExitCode() != 1 {
		t.Errorf("got %v, want exit code 1", err)
	}
	for _, want := range []string{
		"bad-narrow-light-ko: is in de", "asks another host: http://other.invalid/x.png", "policy violated: style-src", "critical: label: <input",
		"turn 2 of the keyboard is at 0", "the focus does not show: <input", "pixels wide in a window of 320",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the script does not say %q", want)
		}
	}
	t.Log(said)
}
