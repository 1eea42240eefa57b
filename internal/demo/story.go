package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"muster/internal/action"
	"muster/internal/audit"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/review"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/starter/api"
	"muster/starter/ingest"
)

// story is the main job being played.
type story struct {
	Options
	folder, url string
	api, admin  *api.Client // of the second on-call, and of whoever owns the data folder
	temporal    client.Client
	sink        *receiver
	id          incident.ID
	phoned      incident.ID // of the second act: what was reported …
	alerted     incident.ID // … and what an alert has opened
	crew        crew        // of the third act …
	upgraded    planrun.ID  // … and its run
	board       board       // of the last act …
	item        action.ID   // … what came of it …
	again       incident.ID // … and the same once more
	began       string      // when the alerts began to fire
	changes     changes     // that were asked for
	servers     repairs     // by Muster itself
	month       month       // of checks
	vault       vault       // of the auditor
	runs        []*historypb.History
	first       delivery.Recipient // who is on call, by the organisation folder
	second      delivery.Recipient

	mu      sync.Mutex // orders what is printed
	checked int
}

// A scene does something, or waits until something has happened, and is done when it has.
type scene struct {
	name string
	do   func(context.Context) error
}

// play runs the scenes in order, while the timeline is printed as it grows.
func (s *story) play(ctx context.Context) error {
	over := make(chan struct{})
	var watching sync.WaitGroup
	defer func() { close(over); watching.Wait() }()
	for _, act := range []struct {
		scenes []scene
		id     *incident.ID // of the incident whose timeline is shown; nil: none
		name   string
	}{{s.scenes(), &s.id, "incident"}, {s.platform(), &s.phoned, "outage"}, {s.upgrade(), nil, "plan"}, {s.reviewing(), nil, "review"}, {s.changing(), nil, "change"}, {s.responding(), nil, "response"}, {s.routine(), nil, "routine"}, {s.auditing(), nil, "audit"}} {
		if s.Chapter != "" && s.Chapter != act.name && act.name != "audit" && (s.Chapter != "review" || act.name != "incident") {
			continue
		}
		for n, sc := range act.scenes {
			if err := sc.do(ctx); err != nil {
				return fmt.Errorf("did not happen: %s: %w", sc.name, err)
			}
			s.checked++
			s.say("   ✓ %s\n", sc.name)
			if n == 0 && act.id != nil {
				id := *act.id
				watching.Go(func() { s.follow(ctx, id, over) })
			}
		}
	}
	s.say("\nAll %d checks passed. Everything is left in %s for you to look at.\n", s.checked, s.folder)
	return nil
}

func (s *story) scenes() []scene {
	return []scene{
		{"a firing alert opens exactly one incident, with priority P1", s.opens},
		{"a ticket is opened", s.sees(timeline.TicketOpened, 1)},
		{"the first on-call is paged", s.gets(delivery.Page, s.first.ID, 1)},
		{"nobody answers, so the page climbs to the second", s.gets(delivery.Page, s.second.ID, 1)},
		{"opening the link of a page shows what it decides, and decides nothing", s.opensLink},
		{"nobody acknowledges in another's name, by a changed link or straight through Temporal", s.forges},
		{"the second acknowledges by the link of the page", s.acknowledges},
		{"the first one's link is too late then", s.comesTooLate},
		{"each attempt that was refused stands in the log", s.isLogged},
		{"a repeat and a second alert of the group join the incident and open nothing", s.joins},
		{"the customer update falls due and is sent", s.gets(delivery.CustomerUpdate, "", 1)},
		{"and falls due again", s.fallsDueAgain},
		{"the mitigation is recorded", s.does(incident.Mitigate{Note: "Rolled back to the release of yesterday."}, incident.Mitigated)},
		{"the resolved alerts resolve it after the quiet time", s.resolves},
		{"the all-clear goes out", s.gets(delivery.AllClear, "", 1)},
		{"the incident report is written as Markdown, HTML and PDF", s.reports},
		{"a post-incident review is opened with the facts and its due instant", s.isReviewed},
		{"a person sends the customer its incident result report", s.sendsReport},
		{"the customer says that it is fixed, and the incident closes", s.closes},
		{"nobody was paged after the acknowledgement, and every signature was right", s.nothingElse},
		{"the history is exported and replays against the code", s.replays},
		{"it proves who acted, with the public keys alone", s.isProven},
	}
}

func (s *story) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.Out, format, args...)
}

// follow prints the timeline as it grows. What it has asked when the story is over is still answered: a request that is
// broken off is an error in the server's log.
func (s *story) follow(ctx context.Context, id incident.ID, over <-chan struct{}) {
	last := 0
	for {
		if t, err := s.api.Timeline(ctx, id, s.Language, last); err == nil {
			for _, e := range t.Entries {
				s.say("%s  %s\n", e.Moment, e.Sentence)
				last = e.Seq
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-over:
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// until waits for something to become true.
func until(ctx context.Context, true_ func() (bool, error)) error {
	for {
		ok, err := true_()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("time is up")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *story) state(ctx context.Context, check func(*incident.Incident) bool) error {
	return until(ctx, func() (bool, error) {
		i, err := s.api.Incident(ctx, s.id)
		if err != nil {
			return false, err
		}
		return check(i), nil
	})
}

func (s *story) opens(ctx context.Context) error {
	if err := s.post(ctx, "firing.json"); err != nil {
		return err
	}
	return until(ctx, func() (bool, error) {
		page, err := s.api.List(ctx, api.Filter{Open: true})
		if err != nil || len(page.Incidents) == 0 || page.Incidents[0].ID == "" {
			return false, err
		}
		if n := len(page.Incidents); n != 1 {
			return false, fmt.Errorf("%d incidents are open", n)
		}
		s.id = page.Incidents[0].ID
		if p := page.Incidents[0].Priority; p != 1 {
			return false, fmt.Errorf("its priority is %s", p)
		}
		return true, nil
	})
}

func (s *story) sees(kind timeline.Kind, times int) func(context.Context) error {
	return func(ctx context.Context) error {
		return s.state(ctx, func(i *incident.Incident) bool {
			n := 0
			for _, e := range i.Timeline.Entries {
				if e.Kind == kind {
					n++
				}
			}
			return n >= times
		})
	}
}

func (s *story) gets(k delivery.Kind, who string, times int) func(context.Context) error {
	return func(ctx context.Context) error {
		return until(ctx, func() (bool, error) { return s.sink.count(k, who) >= times, s.sink.faults() })
	}
}

func (s *story) does(c incident.Command, want incident.Status) func(context.Context) error {
	return func(ctx context.Context) error {
		r, err := s.api.Do(ctx, s.id, c, "")
		if err == nil && r.Status != want {
			return fmt.Errorf("the incident is %s", r.Status)
		}
		return err
	}
}

func (s *story) joins(ctx context.Context) error {
	if err := errors.Join(s.post(ctx, "firing.json"), s.post(ctx, "firing-second.json")); err != nil {
		return err
	}
	if err := s.state(ctx, func(i *incident.Incident) bool { return i.Alerts.Distinct() == 2 }); err != nil {
		return err
	}
	page, err := s.api.List(ctx, api.Filter{})
	if err == nil && len(page.Incidents) != 1 {
		return fmt.Errorf("there are %d incidents", len(page.Incidents))
	}
	return err
}

func (s *story) fallsDueAgain(ctx context.Context) error {
	sent := s.sink.count(delivery.CustomerUpdate, "")
	return s.state(ctx, func(i *incident.Incident) bool {
		for _, c := range i.Clocks {
			if c.Target == supportplan.Update && c.EarlierMet >= 1 && !c.Due.IsZero() {
				return s.sink.count(delivery.CustomerUpdate, "") > sent
			}
		}
		return false
	})
}

func (s *story) resolves(ctx context.Context) error {
	if err := s.post(ctx, "resolved.json"); err != nil {
		return err
	}
	return s.state(ctx, func(i *incident.Incident) bool { return i.Status == incident.Resolved })
}

func (s *story) reports(ctx context.Context) error {
	var files []incident.File
	err := s.state(ctx, func(i *incident.Incident) bool { files = i.Report.Files; return len(files) > 0 })
	if err != nil {
		return err
	}
	for _, f := range files {
		content, err := os.ReadFile(f.Path)
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != f.SHA256 {
			return fmt.Errorf("report %s: its SHA-256 is %x, recorded is %s", f.Path, sum, f.SHA256)
		}
		s.say("     %s\n", f.Path)
	}
	return nil
}

func (s *story) isReviewed(ctx context.Context) error {
	return until(ctx, func() (bool, error) {
		r, err := s.api.Review(ctx, s.id)
		if p := (api.Refusal{}); errors.As(err, &p) && p.Status == http.StatusNotFound {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if r.Status != review.Open || r.Facts.Incident != s.id || len(r.Facts.Intervals) == 0 || r.Due.IsZero() {
			return false, fmt.Errorf("it is %s, due %s, with %d intervals", r.Status, r.Due, len(r.Facts.Intervals))
		}
		return true, nil
	})
}

func (s *story) sendsReport(ctx context.Context) error {
	if _, err := s.api.Do(ctx, s.id, incident.SendReport{Text: "We went back to the release of yesterday."}, ""); err != nil {
		return err
	}
	return s.gets(delivery.ResultReport, premium, 1)(ctx)
}

func (s *story) closes(ctx context.Context) error {
	customer, err := s.as(ctx, premium)
	if err != nil {
		return err
	}
	if _, err := customer.Do(ctx, s.id, incident.Answer{Answer: incident.Fixed}, ""); err != nil {
		return err
	}
	return s.state(ctx, func(i *incident.Incident) bool { return i.Ended() })
}

func (s *story) nothingElse(context.Context) error {
	if n := s.sink.count(delivery.Page, ""); n != 2 {
		return fmt.Errorf("%d pages were sent, not 2", n)
	}
	return s.sink.faults()
}

func (s *story) replays(ctx context.Context) error {
	history, err := s.api.History(ctx, s.id)
	if err != nil {
		return err
	}
	path := filepath.Join(s.folder, string(s.id)+".history.json")
	if err := os.WriteFile(path, history, 0o600); err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	s.say("     %s (%d kB)\n", path, len(history)>>10)
	if s.runs, err = audit.Decode(bytes.NewReader(history)); err != nil {
		return err
	}
	replayed, err := audit.Replay(s.runs)
	if err != nil {
		return err
	}
	return replayed.Differences.Err()
}

// isProven checks the seals in the history.
func (s *story) isProven(ctx context.Context) error {
	listed, err := s.admin.Keys(ctx)
	if err != nil {
		return err
	}
	keys := audit.PublicKeys{}
	for _, k := range listed {
		keys[k.ID] = audit.PublicKey{Key: k.Public}
	}
	verdicts, err := audit.Actors(s.runs, keys)
	if err != nil {
		return err
	}
	people := map[string]bool{}
	for _, v := range verdicts {
		if v.Err != nil {
			return fmt.Errorf("%s of %s: %w", v.Message, v.By.ID, v.Err)
		}
		if v.By.Kind == timeline.Person {
			people[v.By.ID] = true
		}
	}
	if len(people) != 2 || !people[s.second.ID] || !people[premium] {
		return fmt.Errorf("it names %d people who acted, not the second on-call and the customer's desk alone", len(people))
	}
	return nil
}

// post sends a webhook body of Alertmanager to the intake.
func (s *story) post(ctx context.Context, name string) error {
	body, err := alertBody(name, s.began)
	if err != nil {
		return err
	}
	return s.send(ctx, name, body)
}

// send posts alerts as an Alertmanager does.
func (s *story) send(ctx context.Context, name string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+ingest.Path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("post %s: %w", name, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("post %s: %w", name, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("post %s: the intake answered %s", name, resp.Status)
	}
	return nil
}
