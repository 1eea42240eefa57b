package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/approval"
	"muster/internal/link"
	"muster/internal/planrun"
	"muster/internal/timeline"
	"muster/starter"
)

func says(action, why string) url.Values {
	return url.Values{"action": {action}, "reason": {why}}
}

// TestBallot walks every outcome of a link that asks somebody to decide in a run of a plan.
func TestBallot(t *testing.T) {
	vote := func(p *place) { p.yard.rehearsed() }
	for _, tt := range []struct {
		name    string
		arrange func(*place)                     // before the message; a run in which a vote is wanted
		about   planrun.About                    // the message; a vote
		who     string                           // seo, the customer's
		since   func(p *place, run *planrun.Run) // after the message
		form    url.Values                       // nil: the page is only opened
		change  func(*link.Link)
		status  int
		en, ko  string
		used    string
		entries map[timeline.Kind]int // of the timeline, beyond those before
		tries   []string
	}{
		{
			name: "opened", status: 200, en: "Your vote is wanted. It counts for exactly what stands here", ko: "투표는 아래 내용에 대해서만 유효하며",
		},
		{
			name: "approved", form: says("approve", ""), status: 200, used: "approve", entries: map[timeline.Kind]int{timeline.VoteCast: 1},
			en: "Your vote is cast: approve", ko: "투표하셨습니다: 승인",
		},
		{
			name: "rejected, and so decided", form: says("reject", "Not before the audit."), status: 200, used: "reject",
			entries: map[timeline.Kind]int{timeline.VoteCast: 1, timeline.VoteDecided: 1}, en: "Your vote is cast: reject", ko: "투표하셨습니다: 반려",
		},
		{
			name: "abstained", form: says("abstain", ""), status: 200, used: "abstain",
			entries: map[timeline.Kind]int{timeline.VoteCast: 1, timeline.VoteDecided: 1}, en: "Your vote is cast: abstain", ko: "투표하셨습니다: 기권",
		},
		{
			name: "rejected without a reason", form: says("reject", " \r\n"), status: 422, en: "Write a short reason", ko: "사유를 짧게 적어 주십시오",
		},
		{
			name: "too long a reason", form: says("approve", strings.Repeat("가", 251)), status: 422, en: "Write at most 250 characters", ko: "250자 이내로",
		},
		{
			name: "something else than the link allows", form: says("grant-waiver", ""), status: 403, en: "does not allow that", ko: "이 링크로는 할 수 없습니다", tries: []string{"link: the link does not allow what was asked for"},
		},
		{
			name: "changed since, and opened", since: func(p *place, r *planrun.Run) { p.yard.shownAnew(r) }, status: 200,
			en: "This has changed", ko: "<bdi>‘롤백 리허설’: 리허설 로그</bdi>: 추가",
		},
		{
			name: "changed since", since: func(p *place, r *planrun.Run) { p.yard.shownAnew(r) }, form: says("approve", ""), status: 409,
			entries: map[timeline.Kind]int{timeline.ActionRefused: 1}, en: "<bdi>“Rehearse the way back”: The log of the rehearsal</bdi>: added",
			ko: "내용이 바뀌었습니다", tries: []string{"link: changed"},
		},
		{
			name: "changed in the same moment", form: says("approve", ""), status: 409, entries: map[timeline.Kind]int{timeline.ActionRefused: 1},
			since: func(p *place, r *planrun.Run) { p.yard.racing = func() { p.yard.shownAnew(r) } },
			en:    "This has changed", ko: "내용이 바뀌었습니다", tries: []string{"link: changed"},
		},
		{
			name: "decided before", since: refusedByTheHouse,
			form: says("approve", ""), status: 409, entries: map[timeline.Kind]int{timeline.VoteCast: 1},
			en: "미르넷 매니지드서비스 has decided it at 2026-11-25 Wed 14:05:09 KST", ko: "미르넷 매니지드서비스에서 결정했습니다", tries: []string{"link: decided"},
		},
		{
			name: "decided before, and opened", since: refusedByTheHouse,
			status: 200, en: "Already decided: rejected", ko: "이미 결정되었습니다: 반려",
		},
		{
			name: "decided before by a person of the house", who: "choi",
			since: func(p *place, r *planrun.Run) { p.yard.voted(r, "seo", "approve", approval.Reject, "no") },
			form:  says("approve", ""), status: 409, entries: map[timeline.Kind]int{timeline.VoteCast: 1},
			en: "서지우 has decided it at 2026-11-25", ko: "서지우 님이 결정했습니다", tries: []string{"link: decided"},
		},
		{
			name: "too late", since: func(p *place, _ *planrun.Run) { p.clock = begin().Add(25 * time.Hour) }, form: says("approve", ""), status: 409,
			entries: map[timeline.Kind]int{timeline.VoteCast: 1, timeline.VoteDecided: 1}, en: "Your vote came too late", ko: "결정 후에 들어온 투표", tries: []string{"link: decided"},
		},
		{
			name: "whoever has done it", who: "lee", form: says("approve", ""), status: 409, entries: map[timeline.Kind]int{timeline.ActionRefused: 1},
			en: "You have worked on it", ko: "직접 수행했거나", tries: []string{"link: refused.implementer"},
		},
		{
			name: "whoever has asked for it", arrange: asked, about: planrun.ChangeWanted, who: "park", form: says("approve", ""), status: 409,
			entries: map[timeline.Kind]int{timeline.ActionRefused: 1}, en: "You have asked for it yourself", ko: "직접 요청하신 건입니다", tries: []string{"link: refused.requester"},
		},
		{
			name: "somebody else", who: "jung", form: says("approve", ""), status: 409, entries: map[timeline.Kind]int{timeline.ActionRefused: 1},
			en: "You are not among those who may decide it now", ko: "결정권자가 아닙니다", tries: []string{"link: refused.not-a-voter"},
		},
		{
			name: "another customer", who: "han", form: says("approve", ""), status: 403, en: "You may not do this", ko: "권한",
			tries: []string{"denied: read plan-run: want anybody of the provider, or anybody of a customer that it is about, or anybody of a partner of its service, or anybody of a vendor of its service"},
		},
		{
			name: "whoever has left", who: "seo", since: func(p *place, _ *planrun.Run) { p.org = organisation(p.t, "seo") }, form: says("approve", ""), status: 403,
			en: "This link is for nobody any more", ko: "받는 사람이 없는 링크입니다", tries: []string{"denied: the person is not in the organisation folder"},
		},
		{
			name: "no such run", change: func(l *link.Link) { l.Run = "RUN-7K3M9QX2PA" }, form: says("approve", ""), status: 404, en: "This link is not valid", ko: "올바르지 않은 링크입니다",
			tries: []string{"link: there is no such run"},
		},
		{
			name: "expired", since: func(p *place, _ *planrun.Run) { p.clock = begin().Add(31 * 24 * time.Hour) }, form: says("approve", ""), status: 410,
			en: "This link has expired", ko: "기한이 지난 링크입니다", tries: []string{"link: the link has expired"},
		},
		{
			name: "cancelled since", form: says("approve", ""), status: 409, en: "Nothing is decided here now", ko: "지금은 결정할 것이 없습니다", tries: []string{"link: over"},
			since: func(p *place, r *planrun.Run) { p.yard.cancelled(r) },
		},
		{
			name: "used for something else", since: func(p *place, r *planrun.Run) { p.use(fmt.Sprintf("%s/%d/seo", r.ID, last(p).Number), "reject") }, form: says("approve", ""),
			status: 409, used: "reject", en: "This link was used already", ko: "이미 사용한 링크입니다", tries: []string{"link: used"},
		},
		{
			name: "claimed by a process that ended", since: func(p *place, r *planrun.Run) { p.use(fmt.Sprintf("%s/%d/seo", r.ID, last(p).Number), "approve") },
			form: says("approve", ""), status: 200, used: "approve", entries: map[timeline.Kind]int{timeline.VoteCast: 1}, en: "Your vote is cast: approve", ko: "투표하셨습니다: 승인",
		},
		{
			name: "a decision, with a risk", arrange: func(p *place) { p.yard.decided() }, form: says("ready-with-risk", "One host is old."), status: 200,
			used: "ready-with-risk", entries: map[timeline.Kind]int{timeline.VoteCast: 1}, en: "Your vote is cast: ready with risk", ko: "투표하셨습니다: 조건부 준비",
		},
		{
			name: "a decision, with a risk of which nothing is said", arrange: func(p *place) { p.yard.decided() }, form: says("ready-with-risk", ""), status: 422,
			en: "Write a short reason", ko: "사유를 짧게",
		},
		{
			name: "a change of the plan", arrange: asked, about: planrun.ChangeWanted, form: says("approve", ""), status: 200, used: "approve",
			entries: map[timeline.Kind]int{timeline.VoteCast: 1}, en: "Your vote is cast: approve", ko: "투표하셨습니다: 승인",
		},
		{
			name: "a change of the plan, decided before", arrange: asked, about: planrun.ChangeWanted, form: says("approve", ""), status: 409,
			since: func(p *place, r *planrun.Run) {
				p.yard.does(r, "choi", func(in planrun.Capacity) planrun.Command {
					return planrun.Vote{Capacity: in, ID: "x", Choice: approval.Reject, Reason: "no", Shown: r.Change.Ballot.Shown.SHA256}
				})
			},
			en: "Already decided: refused", ko: "이미 결정되었습니다: 반려", tries: []string{"link: decided"},
		},
		{
			name: "a waiver, granted", arrange: waived, about: planrun.WaiverWanted, form: says("grant-waiver", ""), status: 200, used: "grant-waiver",
			entries: map[timeline.Kind]int{timeline.WaiverGranted: 1}, en: "You have decided: granted", ko: "결정하셨습니다: 승인",
		},
		{
			name: "a waiver, refused without a reason", arrange: waived, about: planrun.WaiverWanted, form: says("refuse-waiver", ""), status: 422, en: "Write a short reason", ko: "사유를 짧게",
		},
		{
			name: "a waiver, refused", arrange: waived, about: planrun.WaiverWanted, form: says("refuse-waiver", "Mend it."), status: 200, used: "refuse-waiver",
			entries: map[timeline.Kind]int{timeline.WaiverRefused: 1}, en: "You have decided: refused", ko: "결정하셨습니다: 반려",
		},
		{
			name: "a waiver, asked for by whoever has the link", arrange: waived, about: planrun.WaiverWanted, who: "lee", form: says("grant-waiver", ""), status: 409,
			en: "You have asked for it yourself", ko: "직접 요청하신 건입니다", tries: []string{"link: refused.requester"},
		},
		{
			name: "another waiver", arrange: waived, about: planrun.WaiverWanted, form: says("grant-waiver", ""), status: 409,
			since: func(_ *place, r *planrun.Run) { task, _, _ := r.Task("scan"); task.Waiver.Control = "Nothing." },
			en:    "This has changed", ko: "내용이 바뀌었습니다", tries: []string{"link: changed"},
		},
		{
			name: "a waiver, decided before", arrange: waived, about: planrun.WaiverWanted, form: says("grant-waiver", ""), status: 409,
			since: func(p *place, r *planrun.Run) {
				p.yard.does(r, "seo", func(in planrun.Capacity) planrun.Command {
					return planrun.Waive{Capacity: in, Task: "scan", Note: "no"}
				})
			},
			en: "서지우 has decided it", ko: "서지우 님이 결정했습니다", tries: []string{"link: decided"},
		},
		{
			name: "an override, agreed to", arrange: overridden, about: planrun.OverrideAsked, who: "choi", form: says("grant-override", ""), status: 200, used: "grant-override",
			entries: map[timeline.Kind]int{timeline.OverrideGiven: 1}, en: "You have decided: granted", ko: "결정하셨습니다: 승인",
		},
		{
			name: "an override, refused by the customer", arrange: overridden, about: planrun.OverrideAsked, form: says("refuse-override", "Not now."), status: 200, used: "refuse-override",
			entries: map[timeline.Kind]int{timeline.OverrideRefused: 1}, en: "You have decided: refused", ko: "결정하셨습니다: 반려",
		},
		{
			name: "an override, asked for by whoever has the link", arrange: overridden, about: planrun.OverrideAsked, who: "lee", form: says("grant-override", ""), status: 409,
			entries: map[timeline.Kind]int{timeline.ActionRefused: 1}, en: "You have asked for it yourself", ko: "직접 요청하신 건입니다", tries: []string{"link: refused.requester"},
		},
		{
			name: "another site", form: says("approve", ""), change: func(l *link.Link) { l.ID = "cross-site" }, status: 403, en: "another site", ko: "다른 사이트",
			tries: []string{"denied: the form was sent by another site"},
		},
	} {
		for lang, want := range map[string]string{"en": tt.en, "ko": tt.ko} {
			t.Run(tt.name+" "+lang, func(t *testing.T) {
				p := newPlace(t)
				if tt.arrange == nil {
					tt.arrange = vote
				}
				tt.arrange(p)
				run := p.yard.runs[0]
				who, about := tt.who, tt.about
				if who == "" {
					who = "seo"
				}
				if about == "" {
					about = planrun.VoteWanted
				}
				path, id := p.ballot(who, about, func(l *link.Link) {
					if tt.change != nil {
						tt.change(l)
					}
				}), fmt.Sprintf("%s/%d/%s", run.ID, last(p, about).Number, who)
				if tt.since != nil {
					tt.since(p, run)
				}
				before := map[timeline.Kind]int{}
				for _, e := range run.Timeline.Entries {
					before[e.Kind]++
				}
				method, headers := http.MethodGet, []string{}
				if tt.form != nil {
					method = http.MethodPost
				}
				if strings.HasPrefix(tt.name, "another site") {
					headers = []string{"Sec-Fetch-Site", "cross-site"}
				}
				w := p.ask(method, path+"?lang="+lang, tt.form.Encode(), headers...)
				if w.Code != tt.status || !strings.Contains(w.Body.String(), want) {
					t.Errorf("got %d, want %d with %q:\n%s", w.Code, tt.status, want, w.Body)
				}
				got := map[timeline.Kind]int{}
				for _, k := range []timeline.Kind{
					timeline.VoteCast, timeline.VoteDecided, timeline.ActionRefused, timeline.WaiverGranted, timeline.WaiverRefused, timeline.OverrideGiven, timeline.OverrideRefused,
				} {
					if n := len(p.entries(k)) - before[k]; n > 0 && tt.name != "changed in the same moment" || k == timeline.ActionRefused && n > 0 {
						got[k] = n
					}
				}
				wanted := tt.entries
				if wanted == nil {
					wanted = map[timeline.Kind]int{}
				}
				if d := cmp.Diff(wanted, got); d != "" {
					t.Errorf("the timeline has more or less than it should:\n%s", d)
				}
				if got := p.used(id); got != tt.used {
					t.Errorf("the link is used for %q, want %q", got, tt.used)
				}
				if tt.tries == nil {
					tt.tries = []string{}
				}
				if d := cmp.Diff(tt.tries, p.attempts()); d != "" {
					t.Errorf("refused attempts:\n%s", d)
				}
				if body := w.Body.String(); who == "seo" && strings.Contains(body, "INSIDE") {
					t.Errorf("a customer reads what is inside:\n%s", body)
				}
			})
		}
	}
}

// refusedByTheHouse has everybody of the provider vote against it.
func refusedByTheHouse(p *place, r *planrun.Run) {
	for _, who := range []string{"choi", "kim"} {
		p.yard.voted(r, who, "approve", approval.Reject, "INSIDE")
	}
}

// last is the newest message of a kind, a wanted vote where none is named.
func last(p *place, about ...planrun.About) planrun.Telling {
	about = append(about, planrun.VoteWanted)
	for _, told := range slices.Backward(p.yard.told) {
		if told.About == about[0] {
			return told
		}
	}
	return planrun.Telling{}
}

// asked is a run that is to go on under another revision of its plan.
func asked(p *place) {
	r := p.yard.begun(1)
	next := r.Pinned
	next.SHA256 = strings.Repeat("ab", 32)
	next.Plan.Phases = slices.Clone(next.Plan.Phases)
	next.Plan.Phases[2].Tasks = slices.Clone(next.Plan.Phases[2].Tasks)
	next.Plan.Phases[2].Tasks[0].SHA256, next.Plan.Phases[2].Tasks[0].Environment = strings.Repeat("cd", 32), "production"
	p.yard.does(r, "park", func(in planrun.Capacity) planrun.Command {
		return planrun.RePlan{Capacity: in, Next: next, Reason: "A second host is to be changed."}
	})
}

func waived(p *place) { p.yard.skipping() }

func overridden(p *place) { p.yard.closed = true; p.yard.overriding() }

// TestBallotIsOne has the same answer sent twice, also with one whose outcome is not known: it is one vote.
func TestBallotIsOne(t *testing.T) {
	p := newPlace(t)
	p.yard.rehearsed()
	path := p.ballot("seo", planrun.VoteWanted)
	p.yard.lost = &starter.UnavailableError{Cause: http.ErrServerClosed}
	for _, want := range []int{503, 200, 200} {
		if w := p.post(path, says("approve", "")); w.Code != want {
			t.Errorf("got %d, want %d", w.Code, want)
		}
		p.clock = p.clock.Add(2 * time.Hour)
	}
	if n := len(p.entries(timeline.VoteCast)); n != 1 {
		t.Errorf("voted %d times, want once", n)
	}
}

// TestBallotByOldPage has somebody vote on a page that was opened before what is voted on changed: the run refuses it, and says what
// is different from that page.
func TestBallotByOldPage(t *testing.T) {
	p := newPlace(t)
	r := p.yard.rehearsed()
	path := p.ballot("seo", planrun.VoteWanted)
	content := between(p.get(path).Body.String(), `name="content" value="`, `"`)
	p.yard.shownAnew(r)
	now := between(p.get(path).Body.String(), `name="content" value="`, `"`)
	if content == now {
		t.Fatal("what is voted on has not changed")
	}
	form := says("approve", "")
	form.Set("content", content)
	if w := p.post(path, form); w.Code != http.StatusConflict {
		t.Errorf("got %d, want 409", w.Code)
	}
	form.Set("content", now)
	if w := p.post(path, form); w.Code != http.StatusOK || len(p.entries(timeline.VoteCast)) != 1 {
		t.Errorf("got %d and %d votes, want one that counts", w.Code, len(p.entries(timeline.VoteCast)))
	}
	p.yard.does(r, "lee", func(in planrun.Capacity) planrun.Command {
		return planrun.AddEvidence{Capacity: in, Task: "rehearse", Evidence: []planrun.Given{{Item: "log", Ref: "third"}}}
	})
	if body := p.get(path + "?lang=en").Body.String(); !strings.Contains(body, "your vote counts no more") {
		t.Errorf("it does not say that the vote is void:\n%s", body)
	}
}

// TestBallotFillsNoHistory has somebody who may not vote try it again and again: the run is asked once in an hour.
func TestBallotFillsNoHistory(t *testing.T) {
	p := newPlace(t)
	p.yard.rehearsed()
	path := p.ballot("lee", planrun.VoteWanted)
	ids := map[string]bool{}
	for n := range 10 {
		form := says("approve", "")
		form.Set("content", fmt.Sprintf("%064x", n))
		p.post(path, form)
	}
	for _, req := range p.yard.asked {
		ids[req.ID] = true
		if req.By.ID != "lee" || !strings.HasPrefix(req.Via, "link:RUN-") {
			t.Errorf("asked by %s via %s", req.By.ID, req.Via)
		}
	}
	if len(ids) != 1 {
		t.Errorf("asked under %d ids, want one", len(ids))
	}
}

// TestBallotInPlaceOf has a substitute choose in whose place they vote.
func TestBallotInPlaceOf(t *testing.T) {
	p := newPlace(t)
	r := p.yard.rehearsed()
	kim := approval.Substitute{Person: "kim", Name: "김민수", Party: "provider", Until: begin().Add(24 * time.Hour)}
	p.yard.does(r, "choi", func(in planrun.Capacity) planrun.Command {
		return planrun.Delegate{Capacity: in, Task: "approve", To: kim}
	})
	path := p.ballot("kim", planrun.VoteWanted)
	if body := p.get(path).Body.String(); !strings.Contains(body, `<option value="kim">`) || !strings.Contains(body, `<option value="choi">`) {
		t.Fatalf("there is no choice:\n%s", body)
	}
	form := says("approve", "")
	form.Set("place", "choi")
	if w := p.post(path, form); w.Code != http.StatusOK {
		t.Fatalf("got %d", w.Code)
	}
	if e := p.entries(timeline.VoteCast); len(e) != 1 || e[0].Fact("for") != "choi" || e[0].Actor.ID != "kim" {
		t.Errorf("got %+v", e)
	}
}

// between is what stands between two texts, empty where it does not.
func between(s, before, after string) string {
	_, s, _ = strings.Cut(s, before)
	s, _, _ = strings.Cut(s, after)
	return s
}
