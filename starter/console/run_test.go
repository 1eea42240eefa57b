package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/timeline"
	"muster/starter"
)

func doing(deed, task string, more ...string) url.Values {
	v := url.Values{"deed": {deed}, "task": {task}, "key": {aKey}}
	for n := 0; n < len(more); n += 2 {
		v.Set(more[n], more[n+1])
	}
	return v
}

// TestDeeds walks what people do on the page of a run, and what they may not.
func TestDeeds(t *testing.T) {
	for _, tt := range []struct {
		name    string
		arrange func(*place)
		who     string
		path    string // below that of the run
		form    url.Values
		headers []string
		status  int
		want    string // in the page, or of where it leads
		task    string
		after   planrun.TaskStatus
	}{
		{name: "begin", who: "lee", form: doing("begin", "rehearse"), status: 303, want: "?done=begin", task: "rehearse", after: planrun.Begun},
		{
			name: "complete", who: "lee", status: 303, want: "?done=complete", task: "rehearse", after: planrun.Done,
			form: doing("complete", "rehearse", "ref.log", "https://files.mirnet.example/x", "sha256.log", strings.Repeat("AB", 32), "text", "in 17 minutes"),
		},
		{
			name: "complete without evidence", who: "lee", status: 422, want: "Say for each piece of evidence where it is", task: "rehearse", after: planrun.Ready,
			form: doing("complete", "rehearse", "text", "kept as it was <typed>"),
		},
		{
			name: "complete with half a hash", who: "lee", status: 422, want: "A SHA-256 has 64 hexadecimal digits", task: "rehearse", after: planrun.Ready,
			form: doing("complete", "rehearse", "ref.log", "x", "sha256.log", "abc"),
		},
		{
			name: "complete what wants an action item", who: "kim", arrange: func(p *place) { p.yard.wants("scan", func(x *plan.Task) { x.ActionItems = true }) },
			form: doing("complete", "scan"), status: 409, want: "no action item has come of it yet", task: "scan", after: planrun.Ready,
		},
		{
			name: "complete with a run that is none", who: "lee", status: 409, want: "want the id of a completed run of plan retrospective of garam", task: "rehearse", after: planrun.Ready,
			arrange: func(p *place) { p.yard.wants("rehearse", func(x *plan.Task) { x.Evidence[0].Plan = "retrospective" }) },
			form:    doing("complete", "rehearse", "ref.log", "https://files.mirnet.example/x"),
		},
		{name: "fail", who: "kim", form: doing("fail", "scan", "text", "no scanner"), status: 303, want: "?done=fail", task: "scan", after: planrun.Failed},
		{name: "fail without a reason", who: "kim", form: doing("fail", "scan"), status: 422, want: "Write a short reason", task: "scan", after: planrun.Ready},
		{name: "begin what is not mine", who: "choi", form: doing("begin", "rehearse"), status: 409, want: "The run has refused it", task: "rehearse", after: planrun.Ready},
		{name: "begin what is not ready", who: "lee", form: doing("begin", "deploy"), status: 409, want: "it is waiting", task: "deploy", after: planrun.Waiting},
		{name: "begin nothing", who: "lee", form: doing("begin", "nothing"), status: 409, want: "there is none"},
		{name: "halt", who: "seo", form: doing("halt", "", "text", "Our shop is busy."), status: 303, want: "?done=halt"},
		{name: "halt without a part in it", who: "jung", form: doing("halt", "", "text", "x"), status: 409, want: "The run has refused it"},
		{name: "halt without a reason", who: "seo", form: doing("halt", ""), status: 422, want: "Write a short reason"},
		{name: "continue", who: "park", arrange: func(p *place) { p.yard.halted() }, form: doing("continue", "", "text", "Go on."), status: 303, want: "?done=continue"},
		{
			name: "continue in a customer's name", who: "seo", arrange: func(p *place) { p.yard.halted() }, form: doing("continue", "", "text", "x"), status: 409,
			want: "The run has refused it",
		},
		{name: "too long a text", who: "park", form: doing("halt", "", "text", strings.Repeat("x", 1001)), status: 422, want: "at most 1000 characters"},
		{name: "no such deed", who: "lee", form: doing("cancel", "", "text", "x"), status: 400, want: "did not arrive whole"},
		{name: "no key", who: "lee", form: doing("begin", "rehearse", "key", "x"), status: 400, want: "did not arrive whole"},
		{name: "another site", who: "lee", form: doing("begin", "rehearse"), headers: []string{"Sec-Fetch-Site", "cross-site"}, status: 403, want: "another site", task: "rehearse", after: planrun.Ready},
		{name: "another customer", who: "han", form: doing("begin", "rehearse"), status: 404, want: "There is no such run", task: "rehearse", after: planrun.Ready},
		{name: "when it is over", who: "park", arrange: func(p *place) { p.yard.cancelled(p.yard.begun(1)) }, form: doing("halt", "", "text", "x"), status: 409, want: "cancelled"},
		{
			name: "vote", who: "choi", arrange: func(p *place) { p.yard.rehearsed() }, path: "/votes/approve", status: 303, want: "?done=decide",
			form: url.Values{"action": {"approve"}, "key": {aKey}, "content": {"SHOWN"}},
		},
		{
			name: "vote on what was never shown", who: "choi", arrange: func(p *place) { p.yard.rehearsed() }, path: "/votes/approve", status: 409, want: "This has changed",
			form: url.Values{"action": {"approve"}, "key": {aKey}, "content": {strings.Repeat("0", 64)}},
		},
		{
			name: "vote as whoever has done it", who: "lee", arrange: func(p *place) { p.yard.rehearsed() }, path: "/votes/approve", status: 409, want: "You have worked on it",
			form: url.Values{"action": {"approve"}, "key": {aKey}, "content": {"SHOWN"}},
		},
		{
			name: "vote without a key", who: "choi", arrange: func(p *place) { p.yard.rehearsed() }, path: "/votes/approve", status: 400, want: "did not arrive whole",
			form: url.Values{"action": {"approve"}, "content": {"SHOWN"}},
		},
		{
			name: "vote of another site", who: "choi", arrange: func(p *place) { p.yard.rehearsed() }, path: "/votes/approve", status: 403, want: "another site",
			form: url.Values{"action": {"approve"}, "key": {aKey}, "content": {"SHOWN"}}, headers: []string{"Sec-Fetch-Site", "cross-site"},
		},
		{
			name: "a waiver", who: "seo", arrange: waived, path: "/waivers/scan", status: 303, want: "?done=decide",
			form: url.Values{"action": {"grant-waiver"}, "key": {aKey}, "content": {"SHOWN"}}, task: "scan", after: planrun.Skipped,
		},
		{
			name: "a change of the plan", who: "seo", arrange: asked, path: "/change", status: 303, want: "?done=decide",
			form: url.Values{"action": {"approve"}, "key": {aKey}, "content": {"SHOWN"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlace(t)
			if tt.arrange == nil {
				tt.arrange = func(p *place) { p.yard.begun(1) }
			}
			tt.arrange(p)
			run, cookie := p.yard.runs[0], p.signIn(as(tt.who))
			path := "/plan-runs/" + string(run.ID) + tt.path + "?lang=en"
			if tt.form.Get("content") == "SHOWN" {
				tt.form.Set("content", between(p.get(path, cookie...).Body.String(), `name="content" value="`, `"`))
			}
			if tt.form.Get("content") == "" && tt.path != "" { // who may not vote sees no form
				task, _, _ := run.Task("approve")
				tt.form.Set("content", task.Ballot.Shown.SHA256)
			}
			w := p.post(path, tt.form, append(cookie, tt.headers...)...)
			if said := w.Body.String() + w.Header().Get("Location"); w.Code != tt.status || !strings.Contains(said, tt.want) {
				t.Errorf("got %d, want %d with %q:\n%s", w.Code, tt.status, tt.want, said)
			}
			if s, _, ok := run.Task(tt.task); ok && s.Status != tt.after {
				t.Errorf("task %s is %s, want %s", tt.task, s.Status, tt.after)
			}
			for _, req := range p.yard.asked {
				if req.By.ID != tt.who || !strings.HasPrefix(req.Via, "session:token:") {
					t.Errorf("asked by %s via %s", req.By.ID, req.Via)
				}
			}
			if tt.status == 422 && tt.form.Get("text") != "" && len(tt.form.Get("text")) < 100 && !strings.Contains(w.Body.String(), "kept as it was &lt;typed&gt;") {
				t.Errorf("what was written is gone:\n%s", w.Body)
			}
		})
	}
}

// A form that is sent twice is one deed, also when its first answer was lost.
func TestADeedIsOne(t *testing.T) {
	p := newPlace(t)
	r := p.yard.begun(1)
	path, cookie, form := "/plan-runs/"+string(r.ID), p.signIn(as("lee")), doing("complete", "rehearse", "ref.log", "x")
	p.yard.lost = &starter.UnavailableError{Cause: http.ErrServerClosed}
	for _, want := range []int{503, 303, 303} {
		if w := p.post(path, form, cookie...); w.Code != want {
			t.Errorf("got %d, want %d", w.Code, want)
		}
	}
	if n := len(p.entries(timeline.EvidenceGiven)); n != 1 {
		t.Errorf("evidence was given %d times, want once", n)
	}
}

// Looking at the pages of runs changes nothing, and whoever is not signed in is led to the sign-in and back.
func TestLookingAtRuns(t *testing.T) {
	p := newPlace(t)
	r := p.yard.rehearsed()
	cookie, before := p.signIn(as("choi")), len(r.Timeline.Entries)
	one := "/plan-runs/" + string(r.ID)
	for _, path := range []string{"/plan-runs", one, one + "/votes/approve", one + "/reports/work-plan-1.ko.pdf"} {
		if w := p.get(path, cookie...); w.Code != http.StatusOK {
			t.Errorf("%s: got %d", path, w.Code)
		}
		w := p.get(path)
		if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || to != "/login?next="+url.QueryEscape(path) {
			t.Errorf("%s: got %d, %s", path, w.Code, to)
		}
	}
	for _, path := range []string{one + "/votes/rehearse", one + "/votes/nothing", one + "/change", one + "/waivers/scan", one + "/overrides/production", one + "/reports/x"} {
		if w := p.get(path, cookie...); w.Code != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, w.Code)
		}
	}
	if len(p.yard.asked) > 0 || len(r.Timeline.Entries) != before {
		t.Errorf("looking has changed something: %d asked", len(p.yard.asked))
	}
}

// Nobody sees a run that is not theirs, in any page.
func TestOthersSeeNoRun(t *testing.T) {
	p := newPlace(t)
	r := p.yard.rehearsed()
	for _, path := range []string{"", "/" + string(r.ID), "/" + string(r.ID) + "/votes/approve", "/" + string(r.ID) + "/reports/work-plan-1.ko.pdf"} {
		w := p.get("/plan-runs"+path, p.signIn(as("han"))...)
		if strings.Contains(w.Body.String(), "업그레이드") || path != "" && w.Code != http.StatusNotFound {
			t.Errorf("%s: han of nuri gets %d:\n%s", path, w.Code, w.Body)
		}
	}
	if w := p.get("/plan-runs", p.signIn(as("yoon"))...); !strings.Contains(w.Body.String(), string(r.ID)) {
		t.Errorf("a partner of its service does not see it:\n%s", w.Body)
	}
	w := p.get("/plan-runs/"+string(r.ID), p.signIn(as("seo"))...)
	for _, inside := range []string{"이서연", "박지훈", "최은영"} {
		if strings.Contains(w.Body.String(), inside) {
			t.Errorf("a customer reads the name %s", inside)
		}
	}
}

// A report comes as it was written, as a file and not as a page. Other parties than the provider get no edition but theirs.
func TestReportOfARun(t *testing.T) {
	p := newPlace(t)
	reports := "/plan-runs/" + string(p.yard.begun(1).ID) + "/reports/"
	path := reports + "work-plan-1.customer.ko.pdf"
	w := p.get(path, p.signIn(as("seo"))...)
	if w.Code != http.StatusOK || w.Body.String() != document || w.Header().Get("Content-Disposition") != "attachment; filename=RUN-0000000001-work-plan-1.customer.ko.pdf" {
		t.Errorf("got %d, %q, %v", w.Code, w.Body, w.Header())
	}
	for who, editions := range map[string]map[string]int{
		"choi": {"work-plan-1.ko.pdf": http.StatusOK, "work-plan-1.customer.ko.pdf": http.StatusOK},
		"seo":  {"work-plan-1.ko.pdf": http.StatusNotFound},
		"yoon": {"work-plan-1.ko.pdf": http.StatusNotFound, "work-plan-1.customer.ko.pdf": http.StatusNotFound},
	} {
		cookie := p.signIn(as(who))
		for name, want := range editions {
			if w := p.get(reports+name, cookie...); w.Code != want {
				t.Errorf("%s gets %d for %s, want %d", who, w.Code, name, want)
			}
		}
	}
	p.yard.forged = "!"
	if w := p.get(path, p.signIn(as("seo"))...); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), document) {
		t.Errorf("got %d, %q of a report that was changed", w.Code, w.Body)
	}
}

// The list counts what is due for people, and names what it waits for at most three times.
func TestListOfRuns(t *testing.T) {
	p := newPlace(t)
	for n := range 3 {
		p.yard.begun(uint64(n + 1))
	}
	p.yard.cancelled(p.yard.runs[0])
	p.clock = begin().Add(49 * time.Hour)
	body := p.get("/plan-runs?lang=en", p.signIn(as("park"))...).Body.String()
	if n := strings.Count(body, `class="code">RUN-`); n != 2 || !strings.Contains(body, `<p class="soft stale">Next due by 2026-11-27`) {
		t.Errorf("got %d runs:\n%s", n, body)
	}
	body = p.get("/plan-runs?lang=en&all=1", p.signIn(as("park"))...).Body.String()
	if n := strings.Count(body, `class="code">RUN-`); n != 3 || !strings.Contains(body, fmt.Sprintf(`href="/plan-runs?all=1&amp;lang=%s"`, "ko")) {
		t.Errorf("got %d runs:\n%s", n, body)
	}
}
