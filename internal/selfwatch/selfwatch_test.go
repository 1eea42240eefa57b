package selfwatch_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/selfwatch"
)

// An engine is a Temporal service as a test wants it to be.
type engine struct {
	mu       sync.Mutex
	down     error // every question gets this answer
	blind    error // only visibility does
	overdue  selfwatch.Runs
	problems selfwatch.Runs
	backlog  []selfwatch.Backlog
	queries  []string
}

// set changes the service while a watch looks at it.
func (e *engine) set(change func(*engine)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change(e)
}

func (e *engine) Health(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.down
}

func (e *engine) Runs(_ context.Context, query string) (selfwatch.Runs, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.queries = append(e.queries, query)
	if err := errors.Join(e.down, e.blind); err != nil {
		return selfwatch.Runs{}, err
	}
	if query == selfwatch.ProblemsQuery {
		return e.problems, nil
	}
	return e.overdue, nil
}

func (e *engine) Backlog(context.Context, string) ([]selfwatch.Backlog, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.backlog, e.down
}

// A phone keeps the messages that it got, and can be out of order.
type phone struct {
	mu    sync.Mutex
	fault error
	got   []string
}

func (p *phone) notify(_ context.Context, text string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault != nil {
		return p.fault
	}
	p.got = append(p.got, text)
	return nil
}

// take returns the messages since the last call.
func (p *phone) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	got := p.got
	p.got = nil
	return got
}

func (p *phone) set(fault error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

// begin is when every test begins, inside synctest and outside.
var begin = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// TestRound shows one round over a service in one condition.
func TestRound(t *testing.T) {
	refused := errors.New("connection\n  refused")
	tests := []struct {
		name   string
		engine *engine
		want   []string // every line but the last
	}{
		{
			"all is well", &engine{backlog: []selfwatch.Backlog{{TaskType: "workflow", Pollers: 2}}},
			[]string{
				"[+]temporal ok", "[+]overdue-runs ok", "[+]workflow-problems ok", "[+]backlog-muster ok",
				"[+]deliveries ok",
			},
		},
		{
			"Temporal is away", &engine{down: refused},
			[]string{
				"[-]temporal Temporal does not answer: connection refused",
				"[-]overdue-runs not known: Temporal does not answer",
				"[-]workflow-problems not known: Temporal does not answer",
				"[-]backlog-muster not known: Temporal does not answer",
				"[+]deliveries ok",
			},
		},
		{
			"only visibility is away", &engine{blind: refused},
			[]string{
				"[-]temporal Temporal does not answer: connection refused",
				"[-]overdue-runs not known: Temporal does not answer",
				"[-]workflow-problems not known: Temporal does not answer",
				"[-]backlog-muster not known: Temporal does not answer",
				"[+]deliveries ok",
			},
		},
		{
			"runs are late and name nobody here",
			&engine{overdue: selfwatch.Runs{Count: 2, Examples: []string{"upgrade/acme/prod"}, Oldest: begin.Add(-90 * time.Second)}},
			[]string{
				"[+]temporal ok", "[-]overdue-runs 2 open runs have missed their next due time, one of them by 1m30s",
				"[+]workflow-problems ok", "[+]backlog-muster ok", "[+]deliveries ok",
			},
		},
		{
			"runs cannot go on", &engine{problems: selfwatch.Runs{Count: 1, Examples: []string{"incident/am/1"}}},
			[]string{
				"[+]temporal ok", "[+]overdue-runs ok",
				"[-]workflow-problems 1 open runs cannot go on: their workflow tasks fail",
				"[+]backlog-muster ok", "[+]deliveries ok",
			},
		},
		{
			"the older backlog counts",
			&engine{backlog: []selfwatch.Backlog{
				{TaskType: "workflow", Tasks: 900, Oldest: 20 * time.Second, Pollers: 2},
				{TaskType: "activity", Tasks: 3, Oldest: 31 * time.Second},
			}},
			[]string{
				"[+]temporal ok", "[+]overdue-runs ok", "[+]workflow-problems ok",
				"[-]backlog-muster task queue muster: 3 activity tasks wait for a worker, the oldest for 31s; no worker polls this queue",
				"[+]deliveries ok",
			},
		},
		{
			"a backlog just within its limit",
			&engine{backlog: []selfwatch.Backlog{{TaskType: "activity", Tasks: 3, Oldest: 30 * time.Second}}},
			[]string{
				"[+]temporal ok", "[+]overdue-runs ok", "[+]workflow-problems ok", "[+]backlog-muster ok", "[+]deliveries ok",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &selfwatch.Watch{
				Temporal: tt.engine, Queues: []string{"muster"}, Deliveries: new(selfwatch.Deliveries),
				Notify: new(phone).notify, Now: func() time.Time { return begin },
			}
			status := w.Round(t.Context())
			var names []string
			for _, c := range status.Checks {
				names = append(names, c.Name)
			}
			if !slices.Equal(names, w.Checks()) {
				t.Errorf("got checks %v, announced were %v", names, w.Checks())
			}
			want := append(tt.want, "[+]self-watch last round 2000-01-01T00:00:00Z")
			if got := lines(status); !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// TestQueries asks for the instants and words that go into visibility.
func TestQueries(t *testing.T) {
	e := &engine{}
	seoul := time.FixedZone("KST", 9*3600)
	w := &selfwatch.Watch{
		Temporal: e, Notify: new(phone).notify, Now: func() time.Time { return begin.In(seoul) },
		Limits: selfwatch.Limits{Overdue: time.Minute},
	}
	w.Round(t.Context())
	want := []string{
		"ExecutionStatus = 'Running' AND MusterNextDue < '1999-12-31T23:59:00Z'",
		"ExecutionStatus = 'Running' AND TemporalReportedProblems IN ('category=WorkflowTaskFailed', 'category=WorkflowTaskTimedOut')",
	}
	if !slices.Equal(e.queries, want) {
		t.Errorf("got %q, want %q", e.queries, want)
	}
}

// TestMessages follows a watch through an hour: what is told, when, and what is not.
func TestMessages(t *testing.T) {
	e := &engine{}
	steps := []struct {
		name   string
		change func(*engine)
		wait   time.Duration
		want   []string // one for each message: the lines below its title
	}{
		{"all is well", func(*engine) {}, 10 * time.Minute, nil},
		{
			"a run is late", func(e *engine) {
				e.overdue = selfwatch.Runs{Count: 4, Examples: []string{"incident/am/1", "incident/am/2", "incident/am/3"}}
			},
			15 * time.Second,
			[]string{"- PROBLEM overdue-runs: 4 open runs have missed their next due time: incident/am/1, incident/am/2, incident/am/3, …"},
		},
		{"it stays late, which is no news", func(e *engine) { e.overdue.Count = 3 }, 29 * time.Minute, nil},
		{
			"after half an hour it is told again", func(*engine) {}, time.Minute,
			[]string{"- STILL overdue-runs: 3 open runs have missed their next due time: incident/am/1, incident/am/2, incident/am/3 (for 30m)"},
		},
		{"good for a moment only", func(e *engine) { e.overdue = selfwatch.Runs{} }, 20 * time.Second, nil},
		{"so no all-clear", func(e *engine) { e.overdue.Count = 1 }, time.Minute, nil},
		{
			"good for long enough", func(e *engine) { e.overdue = selfwatch.Runs{} }, time.Minute,
			[]string{"- ALL CLEAR overdue-runs: ok (for 32m)"},
		},
		{"Temporal hiccups", func(e *engine) { e.down = errors.New("no route") }, 25 * time.Second, nil},
		{"and is back", func(e *engine) { e.down = nil }, time.Minute, nil},
		{
			"Temporal goes, with what was wrong in it", func(e *engine) {
				e.problems = selfwatch.Runs{Count: 1, Examples: []string{"incident/am/9"}}
			},
			20 * time.Second,
			[]string{"- PROBLEM workflow-problems: 1 open runs cannot go on: their workflow tasks fail: incident/am/9"},
		},
		{
			"away for long", func(e *engine) { e.down = errors.New("no route") }, time.Minute,
			[]string{"- PROBLEM temporal: Temporal does not answer: no route (for 30s)"},
		},
		{
			"back, and nothing is wrong any more", func(e *engine) { e.down, e.problems = nil, selfwatch.Runs{} }, time.Minute,
			[]string{"- ALL CLEAR temporal: ok (for 1m30s)\n- ALL CLEAR workflow-problems: ok (for 1m45s)"},
		},
		{"all is well again", func(*engine) {}, time.Hour, nil},
	}
	synctest.Test(t, func(t *testing.T) {
		p := &phone{}
		stop := run(t, &selfwatch.Watch{Temporal: e, Queues: []string{"muster"}, Notify: p.notify, Name: "worker on a"})
		defer stop()
		for _, step := range steps {
			e.set(step.change)
			time.Sleep(step.wait)
			synctest.Wait()
			if got := bodies(t, p.take()); !slices.Equal(got, step.want) {
				t.Errorf("%s: got %q, want %q", step.name, got, step.want)
			}
		}
	})
}

// TestUnsent tells again in the next round what did not go out, and once when it does.
func TestUnsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &phone{fault: errors.New("mail server away")}
		e := &engine{problems: selfwatch.Runs{Count: 1}}
		stop := run(t, &selfwatch.Watch{Temporal: e, Notify: p.notify})
		defer stop()
		time.Sleep(time.Minute)
		if got := p.take(); len(got) != 0 {
			t.Fatalf("got %q, want nothing", got)
		}
		p.set(nil)
		time.Sleep(time.Minute)
		if got := bodies(t, p.take()); len(got) != 1 || !strings.HasPrefix(got[0], "- PROBLEM workflow-problems") {
			t.Errorf("got %q, want one message about workflow-problems", got)
		}

		p.set(errors.New("away again"))
		e.set(func(e *engine) { e.problems = selfwatch.Runs{} })
		time.Sleep(5 * time.Minute)
		p.set(nil)
		time.Sleep(time.Minute)
		if got := bodies(t, p.take()); len(got) != 1 || !strings.HasPrefix(got[0], "- ALL CLEAR workflow-problems") {
			t.Errorf("got %q, want one all-clear", got)
		}
	})
}

// TestHanging bounds a round in which nothing answers: neither Temporal nor the channel.
func TestHanging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		hang := func(ctx context.Context, _ string) error {
			calls++
			<-ctx.Done()
			return ctx.Err()
		}
		w := &selfwatch.Watch{Temporal: hangs{}, Notify: hang, Limits: selfwatch.Limits{Temporal: time.Second}}
		stop := run(t, w)
		time.Sleep(2 * time.Minute)
		if got := lines(w.Status()); !strings.HasPrefix(got[0], "[-]temporal") || calls == 0 {
			t.Errorf("got %q after %d messages, want Temporal away and at least one", got, calls)
		}
		stop()
	})
}

// hangs is a service that never answers.
type hangs struct{}

func (hangs) Health(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func (hangs) Runs(ctx context.Context, _ string) (selfwatch.Runs, error) {
	<-ctx.Done()
	return selfwatch.Runs{}, ctx.Err()
}

func (hangs) Backlog(ctx context.Context, _ string) ([]selfwatch.Backlog, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestStale refuses to repeat what was true once.
func TestStale(t *testing.T) {
	now := begin
	w := &selfwatch.Watch{Temporal: &engine{}, Notify: new(phone).notify, Now: func() time.Time { return now }}
	last := func() string {
		all := lines(w.Status())
		return all[len(all)-1]
	}
	if got, want := last(), "[-]self-watch no round yet"; got != want {
		t.Errorf("before the first round: got %q, want %q", got, want)
	}
	w.Round(t.Context())
	now = begin.Add(time.Minute)
	if got, want := last(), "[+]self-watch last round 2000-01-01T00:00:00Z"; got != want {
		t.Errorf("after a minute: got %q, want %q", got, want)
	}
	now = begin.Add(2 * time.Minute)
	if got, want := last(), "[-]self-watch no round for 2m"; got != want {
		t.Errorf("after two minutes: got %q, want %q", got, want)
	}
}

// TestKorean shows a whole message in Korean.
func TestKorean(t *testing.T) {
	p := &phone{}
	d := new(selfwatch.Deliveries)
	d.UnderWay("d1", begin.Add(-6*time.Minute), begin.Add(time.Minute))
	w := &selfwatch.Watch{
		Temporal: &engine{
			overdue:  selfwatch.Runs{Count: 2, Examples: []string{"incident/am/1", "incident/am/2"}, Oldest: begin.Add(-time.Hour - 5*time.Second)},
			problems: selfwatch.Runs{Count: 1, Examples: []string{"incident/am/3"}},
			backlog:  []selfwatch.Backlog{{TaskType: "workflow", Tasks: 7, Oldest: time.Minute}},
		},
		Queues: []string{"muster"}, Deliveries: d, Notify: p.notify, Language: "ko", Name: "worker on a",
		Now: func() time.Time { return begin.In(time.FixedZone("KST", 9*3600)) },
	}
	w.Round(t.Context())
	want := `Muster 자체 감시: worker on a, 2000-01-01 09:00:00 +09:00
- 문제 발생 overdue-runs: 진행 중인 실행 2건이 다음 기한 시각을 넘겼습니다(그중 1시간 5초 초과): incident/am/1, incident/am/2
- 문제 발생 workflow-problems: 진행 중인 실행 1건이 더 진행되지 못합니다: 워크플로 작업이 실패하고 있습니다: incident/am/3
- 문제 발생 backlog-muster: 작업 대기열 muster: workflow 작업 7건이 워커를 기다리고 있으며, 가장 오래된 것은 1분째입니다; 이 대기열을 처리하는 워커가 없습니다
- 문제 발생 deliveries: 결과가 없는 알림 전송이 1건이며, 가장 오래된 것은 6분째입니다`
	if got := strings.Join(p.take(), "\n\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestRefused does not begin without what it needs.
func TestRefused(t *testing.T) {
	for _, w := range []*selfwatch.Watch{{Temporal: &engine{}}, {Notify: new(phone).notify}} {
		if err := w.Run(t.Context()); err == nil {
			t.Error("got no error, want one that says what is missing")
		}
	}
}

// run starts a watch and returns what stops it.
func run(t *testing.T, w *selfwatch.Watch) (stop func()) {
	t.Helper()
	w.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("got error %v, want none", err)
		}
	}
}

// bodies cuts the title off each message and checks that it names the process and an instant with its zone.
func bodies(t *testing.T, messages []string) []string {
	t.Helper()
	var all []string
	for _, m := range messages {
		title, body, _ := strings.Cut(m, "\n")
		if !strings.HasPrefix(title, "Muster watches itself: ") || !strings.HasSuffix(title, " +00:00") {
			t.Errorf("got title %q, want the process and an instant with its zone", title)
		}
		all = append(all, body)
	}
	return all
}

// lines returns a status as /readyz?verbose shows one.
func lines(s selfwatch.Status) []string {
	var all []string
	for _, c := range s.Checks {
		mark := "[-]"
		if c.OK {
			mark = "[+]"
		}
		all = append(all, mark+c.Name+" "+c.Text)
	}
	return all
}
