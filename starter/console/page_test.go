package console_test

import (
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/incident"
	"muster/internal/link"
	"muster/internal/planrun"
	"muster/internal/store"
	"muster/starter"
	"muster/templates"
)

var update = flag.Bool("update", false, "write the golden files anew")

// views lists every page, each in a place of its own.
func views() map[string]func(p *place, lang string) *httptest.ResponseRecorder {
	open := func(change ...func(*link.Link)) func(p *place, lang string) *httptest.ResponseRecorder {
		return func(p *place, lang string) *httptest.ResponseRecorder { return p.get(p.link("kim", change...) + lang) }
	}
	post := func(form url.Values, arrange func(*place)) func(p *place, lang string) *httptest.ResponseRecorder {
		return func(p *place, lang string) *httptest.ResponseRecorder {
			arrange(p)
			return p.post(p.link("kim")+lang, form)
		}
	}
	nothing := func(*place) {}
	signedIn := func(method, path, form string, query ...string) func(p *place, lang string) *httptest.ResponseRecorder {
		return func(p *place, lang string) *httptest.ResponseRecorder {
			return p.ask(method, path+strings.Join(append([]string{lang}, query...), "&"), form, p.signIn()...)
		}
	}
	answered := func(method, form string, arrange func(*place)) func(p *place, lang string) *httptest.ResponseRecorder {
		return func(p *place, lang string) *httptest.ResponseRecorder {
			l := p.asking("nuri/it-manager")
			arrange(p)
			return p.ask(method, l+lang, form)
		}
	}
	decided := func(who string, arrange func(*place) planrun.About, said url.Values, since ...func(*place)) func(p *place, lang string) *httptest.ResponseRecorder {
		return func(p *place, lang string) *httptest.ResponseRecorder {
			l := p.ballot(who, arrange(p))
			for _, happens := range since {
				happens(p)
			}
			if said == nil {
				return p.get(l + lang)
			}
			return p.post(l+lang, said)
		}
	}
	run := func(who, path string, said url.Values, arrange func(*place), query ...string) func(p *place, lang string) *httptest.ResponseRecorder {
		return func(p *place, lang string) *httptest.ResponseRecorder {
			arrange(p)
			path, cookie := "/plan-runs/"+string(p.yard.runs[0].ID)+path+strings.Join(append([]string{lang}, query...), "&"), p.signIn(as(who))
			if said == nil {
				return p.get(path, cookie...)
			}
			said.Set("key", aKey)
			return p.post(path, said, cookie...)
		}
	}
	vote := func(p *place) planrun.About { p.yard.rehearsed(); return planrun.VoteWanted }
	form := func(method, who string, sent ...url.Values) func(p *place, lang string) *httptest.ResponseRecorder {
		return func(p *place, lang string) (w *httptest.ResponseRecorder) {
			if len(sent) == 0 {
				return p.ask(method, p.form(who)+lang, "")
			}
			for _, values := range sent {
				w = p.ask(method, p.form(who)+lang, values.Encode())
			}
			return w
		}
	}
	plain := func(method, path, form string, headers ...string) func(p *place, lang string) *httptest.ResponseRecorder {
		return func(p *place, lang string) *httptest.ResponseRecorder {
			return p.ask(method, path+lang, form, headers...)
		}
	}
	return map[string]func(p *place, lang string) *httptest.ResponseRecorder{
		"link":             open(),
		"link-changed":     open(func(l *link.Link) { l.Content = "other" }),
		"link-expired":     open(func(l *link.Link) { l.Expires = begin() }),
		"link-reason":      post(url.Values{"action": {"escalate"}, "reason": {strings.Repeat("<x> ", 200)}}, nothing),
		"link-done":        post(acknowledge(), nothing),
		"link-escalated":   post(escalate("help"), nothing),
		"link-taken":       post(acknowledge(), func(p *place) { p.act(p.t, person("lee", "이서연"), incident.Acknowledge{}) }),
		"link-over":        post(acknowledge(), func(p *place) { p.act(p.t, person("lee", "이서연"), incident.Resolve{Note: "x"}) }),
		"link-used":        post(escalate("x"), func(p *place) { p.use("page/kim/1", "acknowledge") }),
		"link-refused":     post(acknowledge(), func(p *place) { p.refuse = &starter.RefusedError{Reason: "x"} }),
		"link-away":        post(acknowledge(), func(p *place) { p.away = &starter.UnavailableError{Cause: http.ErrServerClosed} }),
		"link-gone":        post(acknowledge(), func(p *place) { p.org = organisation(p.t, "kim") }),
		"link-not-allowed": post(url.Values{"action": {"close"}}, nothing),
		"link-invalid":     plain(http.MethodGet, "/l/x", ""),
		"link-may-not":     func(p *place, lang string) *httptest.ResponseRecorder { return p.get(p.link("park") + lang) },
		"answer":           answered(http.MethodGet, "", func(*place) {}),
		"answer-changed":   answered(http.MethodGet, "", resolvedAgain),
		"answer-missing":   answered(http.MethodPost, "action=not-fixed&reason=+", func(*place) {}),
		"answer-fixed":     answered(http.MethodPost, "action=fixed", func(*place) {}),
		"answer-not-fixed": answered(http.MethodPost, "action=not-fixed&reason=slow", func(*place) {}),
		"answer-answered": answered(http.MethodPost, "action=fixed", func(p *place) {
			p.act(p.t, person("nuri/service-desk", "Nuri Trading service desk"), incident.Answer{Answer: incident.Fixed, Customer: "nuri"})
		}),
		"answer-reopened": answered(http.MethodPost, "action=fixed", func(p *place) {
			p.act(p.t, person("lee", "이서연"), incident.Reopen{Reason: "secret"})
		}),
		"answer-closed":   answered(http.MethodPost, "action=fixed", closed),
		"answer-used":     answered(http.MethodPost, "action=fixed", func(p *place) { p.use("page/nuri/it-manager/1", "not-fixed") }),
		"answer-refused":  answered(http.MethodPost, "action=fixed", func(p *place) { p.refuse = &starter.RefusedError{Reason: "x"} }),
		"answer-expired":  answered(http.MethodGet, "", func(p *place) { p.clock = begin().Add(2 * time.Hour) }),
		"ballot":          decided("seo", vote, nil),
		"ballot-inside":   decided("choi", vote, nil),
		"ballot-changed":  decided("seo", func(p *place) planrun.About { defer p.yard.shownAnew(p.yard.rehearsed()); return planrun.VoteWanted }, nil),
		"ballot-reason":   decided("seo", vote, says("reject", "")),
		"ballot-done":     decided("seo", vote, says("reject", "<b>Not now.")),
		"ballot-late":     decided("seo", vote, says("approve", ""), func(p *place) { p.clock = begin().Add(25 * time.Hour) }),
		"ballot-decided":  decided("seo", vote, nil, func(p *place) { refusedByTheHouse(p, p.yard.runs[0]) }),
		"ballot-over":     decided("seo", vote, nil, func(p *place) { p.yard.cancelled(p.yard.runs[0]) }),
		"ballot-doer":     decided("lee", vote, says("approve", "")),
		"ballot-stranger": decided("jung", vote, nil),
		"ballot-used":     decided("seo", vote, says("approve", ""), func(p *place) { p.use(fmt.Sprintf("%s/%d/seo", p.yard.runs[0].ID, last(p).Number), "reject") }),
		"ballot-expired":  decided("seo", vote, nil, func(p *place) { p.clock = begin().Add(31 * 24 * time.Hour) }),
		"ballot-go":       decided("seo", func(p *place) planrun.About { p.yard.decided(); return planrun.VoteWanted }, nil),
		"ballot-change":   decided("choi", func(p *place) planrun.About { asked(p); return planrun.ChangeWanted }, nil),
		"ballot-waiver":   decided("seo", func(p *place) planrun.About { waived(p); return planrun.WaiverWanted }, nil),
		"ballot-override": decided("choi", func(p *place) planrun.About { overridden(p); return planrun.OverrideAsked }, nil),
		"ballot-granted":  decided("choi", func(p *place) planrun.About { overridden(p); return planrun.OverrideAsked }, says("grant-override", "")),
		"page-ballot":     run("choi", "/votes/approve", nil, func(p *place) { p.yard.rehearsed() }),
		"page-decided":    run("choi", "/votes/approve", says("approve", ""), func(p *place) { refusedByTheHouse(p, p.yard.rehearsed()) }),
		"run":             run("park", "", nil, func(p *place) { p.yard.begun(1) }),
		"run-items":       run("park", "", nil, func(p *place) { p.yard.improved() }),
		"run-doer":        run("lee", "", nil, func(p *place) { p.yard.begun(1) }),
		"run-voter":       run("choi", "", nil, func(p *place) { p.yard.rehearsed() }),
		"run-customer":    run("seo", "", nil, func(p *place) { p.yard.halted() }),
		"run-halted":      run("park", "", nil, func(p *place) { p.yard.halted() }),
		"run-failed":      run("park", "", nil, func(p *place) { p.yard.failed() }),
		"run-rolling":     run("lee", "", nil, func(p *place) { p.yard.rollingBack() }),
		"run-over":        run("jung", "", nil, func(p *place) { p.yard.cancelled(p.yard.decided()) }),
		"run-waived":      run("park", "", nil, func(p *place) { p.yard.skipping() }),
		"run-frozen":      run("choi", "", nil, func(p *place) { overridden(p) }),
		"run-changing": run("lee", "", nil, func(p *place) { // staging is changed, and another run has production
			r := p.yard.begun(1)
			r.Windows = []planrun.Look{{Environment: "staging", At: p.yard.now(), Open: true}, {Environment: "production", At: p.yard.now(), Open: true}}
			r.Silences = []planrun.Silence{{Environment: "staging", Begun: p.yard.now(), Names: []string{"SiteDown", "DiskFull"}, Tasks: []string{"rehearse"}}}
			r.Locks = []planrun.Lock{{Environment: "production", Tries: 1, Holder: "RUN-2B4C6D8E0F", Next: p.yard.now().Add(time.Minute)}}
		}),
		"run-fault":   run("lee", "", url.Values{"deed": {"complete"}, "task": {"rehearse"}, "ref.log": {" "}, "text": {"it took long"}}, func(p *place) { p.yard.begun(1) }),
		"run-refused": run("kim", "", url.Values{"deed": {"begin"}, "task": {"deploy"}}, func(p *place) { p.yard.begun(1) }),
		"run-done":    run("lee", "", nil, func(p *place) { p.yard.begun(1) }, "done=begin"),
		"no-run":      run("han", "", nil, func(p *place) { p.yard.begun(1) }),
		"runs": func(p *place, lang string) *httptest.ResponseRecorder {
			p.yard.halted()
			p.yard.begun(2)
			return p.get("/plan-runs"+lang, p.signIn(as("park"))...)
		},
		"runs-none": func(p *place, lang string) *httptest.ResponseRecorder {
			p.yard.begun(1)
			return p.get("/plan-runs"+lang+"&all=1", p.signIn(as("han"))...)
		},
		"calendar":      signedIn(http.MethodGet, "/change-calendar", ""),
		"calendar-none": signedIn(http.MethodGet, "/change-calendar", "", "from=soon", "days=30", "kind=freeze", "customer=nuri", "meeting=1", "text=%22erp%22"),
		"home-waits": func(p *place, lang string) *httptest.ResponseRecorder {
			p.yard.rehearsed()
			return p.get("/"+lang, p.signIn(as("choi"))...)
		},
		"home-away": func(p *place, lang string) *httptest.ResponseRecorder {
			p.yard.away = &starter.UnavailableError{Cause: http.ErrServerClosed}
			return p.get("/"+lang, p.signIn()...)
		},
		"no-report": func(p *place, lang string) *httptest.ResponseRecorder {
			p.yard.forged = "x"
			return p.get("/plan-runs/"+string(p.yard.begun(1).ID)+"/reports/work-plan-1.ko.pdf"+lang, p.signIn()...)
		},
		"report":          form(http.MethodGet, "lee"),
		"report-customer": form(http.MethodGet, "garam/it-desk"),
		"report-faults":   form(http.MethodPost, "lee", faultyForm()),
		"report-known":    form(http.MethodPost, "lee", written("receipt", "R-7"), written("receipt", "R-7", "key", anotherKey)),
		"reported":        form(http.MethodPost, "lee", written()),
		"reported-customer": form(http.MethodPost, "nuri/service-desk", url.Values{
			"action": {"report"}, "key": {aKey}, "service": {"nuri-erp"}, "title": {"느림"},
		}),
		"report-expired": form(http.MethodGet, "late"),
		"login":          plain(http.MethodGet, "/login", ""),
		"login-fault":    plain(http.MethodPost, "/login", "token=x&next=/account"),
		"login-provider": plain(http.MethodGet, "/login", ""), // in a place that has one
		"home":           signedIn(http.MethodGet, "/", ""),
		"account":        signedIn(http.MethodGet, "/account", ""),
		"account-fault":  signedIn(http.MethodPost, "/account/tokens", "label=&days=90"),
		"token":          signedIn(http.MethodPost, "/account/tokens", "label=laptop&days=90"),
		"no-token":       signedIn(http.MethodPost, "/account/tokens/revoke", "token=x"),
		"no-page":        plain(http.MethodGet, "/nowhere", ""),
		"method":         plain(http.MethodDelete, "/login", ""),
		"large":          plain(http.MethodPost, "/login", "token="+strings.Repeat("x", 17<<10)),
		"form":           plain(http.MethodPost, "/login", "token=%zz"),
		"cross-site":     plain(http.MethodPost, "/login", "token=x", "Sec-Fetch-Site", "cross-site"),
	}
}

var moving = []struct {
	find *regexp.Regexp
	put  string
}{
	{regexp.MustCompile(`/l/key-[A-Za-z0-9_.-]+`), "/l/TOKEN"},
	{regexp.MustCompile(`tok_[a-z0-9]{10}`), "tok_id"},
	{regexp.MustCompile(`muster_[0-9A-Za-z]{49}`), "muster_secret"},
	{regexp.MustCompile(`/[0-9a-f]{16}/`), "/HASH/"},
	{regexp.MustCompile(`value="[A-Z2-7]{26}"`), `value="KEY"`},
}

// TestPages holds every page against its golden file, in both languages, and looks at what all of them have in common.
func TestPages(t *testing.T) {
	for name, view := range views() {
		for _, language := range []string{"en", "ko"} {
			p := newPlace(t)
			if name == "login-provider" {
				p, _ = signInPlace(t)
			}
			w := view(p, "?lang="+language)
			page := w.Body.String()
			for _, m := range moving {
				page = m.find.ReplaceAllString(page, m.put)
			}
			golden(t, name+"."+language+".html", page)
			checkHeaders(t, name, language, w)
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}

func checkHeaders(t *testing.T, name, language string, w *httptest.ResponseRecorder) {
	t.Helper()
	for header, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; " +
			"base-uri 'none'",
		"Cache-Control":                "no-store",
		"Referrer-Policy":              "no-referrer",
		"X-Content-Type-Options":       "nosniff",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Content-Language":             language,
	} {
		if got := w.Header().Get(header); got != want {
			t.Errorf("%s: %s is %q, want %q", name, header, got, want)
		}
	}
}

// Every page of the golden files is still one of the list.
func TestNoGoldenFileIsLeftOver(t *testing.T) {
	files, err := filepath.Glob("testdata/*.html")
	if err != nil || len(files) != 2*len(views()) {
		t.Errorf("got %d golden files, %v; want %d", len(files), err, 2*len(views()))
	}
}

// Both languages have the same words, and the pages use them all.
func TestWords(t *testing.T) {
	defined := regexp.MustCompile(`\{\{define "([^"]+)"\}\}`)
	words := map[string][]string{}
	for _, language := range []string{"en", "ko"} {
		text, err := fs.ReadFile(templates.FS, "console/words."+language+".tmpl")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range defined.FindAllStringSubmatch(string(text), -1) {
			words[language] = append(words[language], m[1])
		}
		slices.Sort(words[language])
	}
	if diff := cmp.Diff(words["en"], words["ko"]); diff != "" {
		t.Error(diff)
	}
	var used strings.Builder
	for _, pattern := range []struct{ dir, glob string }{{"../../templates/console", "*.html.tmpl"}, {".", "*.go"}} {
		files, err := filepath.Glob(filepath.Join(pattern.dir, pattern.glob))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			used.Write(text)
		}
	}
	for _, word := range words["en"] {
		base := strings.TrimSuffix(strings.TrimSuffix(word, ".title"), ".text")
		found := strings.Contains(used.String(), `"`+word+`"`) || strings.Contains(used.String(), `"`+base+`"`)
		for _, family := range []string{
			"language.", "party.", "role.", "ballot.cause.", "say.", "line.", "want.", "inbox.", "planned.", "deed.done.", "link.done.", "link.used.", "answer.done.", "answer.used.", "report.fault.",
		} {
			found = found || strings.HasPrefix(word, family) && strings.Contains(used.String(), `"`+strings.TrimSuffix(family, ".")+`"`) ||
				strings.HasPrefix(word, family) && strings.Contains(used.String(), `"`+family+`"`)
		}
		if !found {
			t.Errorf("the word %q is used nowhere", word)
		}
	}
}

func TestMethods(t *testing.T) {
	p, _ := signInPlace(t)
	for path, allow := range map[string]string{
		"/": "GET, HEAD", "/l/x": "GET, HEAD, POST", "/login": "GET, HEAD, POST", "/login/start": "POST", "/login/callback": "GET, HEAD",
		"/logout": "POST", "/account": "GET, HEAD", "/account/tokens": "POST", "/plan-runs": "GET, HEAD", "/plan-runs/x": "GET, HEAD, POST",
		"/plan-runs/x/votes/y": "GET, HEAD, POST", "/plan-runs/x/change": "GET, HEAD, POST", "/plan-runs/x/reports/y": "GET, HEAD", "/account/tokens/revoke": "POST", "/account/sessions/end": "POST",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} {
			w := p.ask(method, path, "")
			if slices.Contains(strings.Split(allow, ", "), method) {
				if w.Code == http.StatusMethodNotAllowed {
					t.Errorf("%s %s: got 405", method, path)
				}
			} else if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != allow {
				t.Errorf("%s %s: got %d, Allow %q; want 405, %q", method, path, w.Code, w.Header().Get("Allow"), allow)
			}
		}
	}
	for _, path := range []string{"/nowhere", "/l/", "/l/a/b", "/login/", "/account/x", "/style.css", "/favicon.ico"} {
		if w := p.get(path); w.Code != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, w.Code)
		}
	}
}

// Style and icon are found under names that change with them, so they may be kept.
func TestFiles(t *testing.T) {
	p := newPlace(t)
	page := p.get("/login").Body.String()
	for kind, pattern := range map[string]string{"text/css; charset=utf-8": `href="(/[0-9a-f]{16}/style\.css)"`, "image/svg+xml": `src="(/[0-9a-f]{16}/icon\.svg)"`} {
		found := regexp.MustCompile(pattern).FindStringSubmatch(page)
		if found == nil {
			t.Errorf("the page has no %s", kind)
			continue
		}
		w := p.get(found[1])
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != kind || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") ||
			w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Body.Len() == 0 {
			t.Errorf("%s: got %d, %v", found[1], w.Code, w.Header())
		}
	}
}

func TestLanguage(t *testing.T) {
	p := newPlace(t)
	lee := p.signIn(func(t *store.Token) { t.Actor = "lee" })
	park := p.signIn(func(t *store.Token) { t.Actor = "park" })
	for _, tt := range []struct {
		name, path string
		headers    []string
		want       string
	}{
		{"the organisation's", "/login", nil, "ko"},
		{"the browser's", "/login", []string{"Accept-Language", "fr, EN-us;q=0.8, ko;q=0.1"}, "en"},
		{"one that there is not", "/login", []string{"Accept-Language", "fr;q=1, *"}, "ko"},
		{"the one that is asked for", "/login?lang=en", []string{"Accept-Language", "ko"}, "en"},
		{"asked for one that there is not", "/login?lang=fr", []string{"Accept-Language", "en"}, "en"},
		{"the person's", "/account", append([]string{"Accept-Language", "en"}, lee...), "ko"},
		{"another person's", "/account", append([]string{"Accept-Language", "ko"}, park...), "en"},
		{"the person's, when there is no such page", "/nowhere", append([]string{"Accept-Language", "ko"}, park...), "en"},
		{"asked for by the person", "/account?lang=en", lee, "en"},
		{"of a link's person", p.link("kim"), []string{"Accept-Language", "en"}, "ko"},
		{"of a customer's contact", p.link("garam/it-desk"), []string{"Accept-Language", "en"}, "ko"},
		{"of a person who may not", p.link("park"), []string{"Accept-Language", "ko"}, "en"},
	} {
		w := p.get(tt.path, tt.headers...)
		if got := w.Header().Get("Content-Language"); got != tt.want || !strings.Contains(w.Body.String(), `<html lang="`+tt.want+`">`) {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestPanic(t *testing.T) {
	p := newPlace(t)
	p.racing = func(*incident.Incident) { panic("muster_secret") }
	l := p.link("kim")
	w := p.post(l+"?lang=en", acknowledge())
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "Something went wrong") {
		t.Errorf("got %d, want 500 and a page\n%s", w.Code, w.Body)
	}
	log := p.log.String()
	if !strings.Contains(log, "request panicked") || strings.Contains(log, "muster_secret") || strings.Contains(log, strings.TrimPrefix(l, link.Path)) {
		t.Errorf("want a line in the log without secrets, got\n%s", log)
	}
}
