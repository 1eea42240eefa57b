package acceptance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/audit"
	"muster/internal/devserver"
	"muster/internal/incident"
	"muster/internal/node"
	"muster/internal/timeline"
	"muster/starter/api"
	"muster/starter/ingest"
)

// patience bounds every wait for something that must happen. Nothing is judged by how long it takes.
const patience = 2 * time.Minute

// A system is a node as its users see it.
type system struct {
	url  string
	api  *api.Client
	sink *receiver

	folder  string        // with its data and its organisation
	running *node.Running // nil: another process is it
}

// newSystem starts a node in this process.
func newSystem(t *testing.T, elsewhere map[string]string) *system {
	t.Helper()
	folder, sink := t.TempDir(), newReceiver(t)
	organise(t, folder, sink.url, elsewhere)
	return nodeAt(t, folder, sink)
}

// nodeAt starts a node in this process, in a folder with an organisation.
func nodeAt(t *testing.T, folder string, sink *receiver, settings ...func(*node.DevConfig)) *system {
	t.Helper()
	said := newJournal(t)
	cfg := node.DevConfig{
		Config: node.Config{
			Data: filepath.Join(folder, "data"), Org: filepath.Join(folder, "organisation"), Listen: "127.0.0.1:0",
			Out: io.Discard, Log: said.logger(),
		},
		NormalSync: true, UIPort: devserver.Off,
	}
	for _, set := range settings {
		set(&cfg)
	}
	running, err := node.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Stop)
	return &system{url: running.URL, api: administrator(t, running.URL, filepath.Join(folder, "data")), sink: sink, folder: folder, running: running}
}

// A journal keeps what a node in this process logs, for a test that fails.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func newJournal(t *testing.T) *journal {
	j := &journal{}
	t.Cleanup(func() {
		if t.Failed() {
			j.mu.Lock()
			defer j.mu.Unlock()
			text := j.text.Bytes()
			t.Logf("the node said:\n%s", text[max(0, len(text)-4<<10):])
		}
	})
	return j
}

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

// administrator makes an API client for the administrator of a data folder.
func administrator(t *testing.T, url, data string) *api.Client {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(data, api.AdminTokenFile))
	if err != nil {
		t.Fatal(err)
	}
	c, err := api.NewClient(url, strings.TrimSpace(string(token)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// until waits for something to become true. The error says what was waited for, and what was seen last.
func until(ctx context.Context, what string, ok func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := ok()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: did not happen: %w", what, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// must ends the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// alert is one alert of a body.
type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Fingerprint string            `json:"fingerprint"`
}

// body is what Alertmanager posts for a group of a service: firing or resolved, with so many alerts, each with a text.
func body(service, group, status string, alerts int, text string) []byte {
	labels := map[string]string{"service": service, "group": group}
	began := time.Date(2026, 11, 22, 1, 3, 27, 0, time.UTC)
	all := make([]alert, alerts)
	for n := range all {
		all[n] = alert{
			Status: status, Annotations: map[string]string{"summary": "trouble in " + group, "description": text}, StartsAt: began,
			Labels:      map[string]string{"alertname": fmt.Sprintf("Trouble%d", n), "service": service, "group": group},
			Fingerprint: fmt.Sprintf("%s-%d", group, n),
		}
		if status == "resolved" {
			all[n].EndsAt = began.Add(time.Hour)
		}
	}
	text4, err := json.Marshal(map[string]any{
		"version": "4", "receiver": "muster", "status": status, "groupKey": "{}:{group=\"" + group + "\"}", "alerts": all,
		"groupLabels": labels, "commonLabels": labels, "commonAnnotations": map[string]string{"summary": "trouble in " + group},
		"externalURL": "http://alertmanager.example:9093", "truncatedAlerts": 0,
	})
	if err != nil {
		panic(err) // it is made of strings
	}
	return text4
}

// A reply is what the intake said.
type reply struct {
	status     int
	retryAfter string
	kind       string
}

// post makes one request to the intake.
func post(ctx context.Context, url string, body []byte) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+ingest.Path, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return reply{resp.StatusCode, resp.Header.Get("Retry-After"), resp.Header.Get("Content-Type")}, err
}

// deliver posts as Alertmanager does: again and again as long as there is no answer or a 5xx.
func deliver(ctx context.Context, url string, body []byte) error {
	return until(ctx, "the intake takes the alerts", func() error {
		got, err := post(ctx, url, body)
		if err == nil && got.status != http.StatusOK {
			err = fmt.Errorf("the intake answers %d", got.status)
		}
		return err
	})
}

// opened waits for the incident of a group, and returns its id.
func opened(ctx context.Context, c *api.Client, group string) (id incident.ID, err error) {
	err = until(ctx, "group "+group+" opens an incident", func() error {
		all, err := byGroup(ctx, c)
		if err != nil {
			return err
		}
		if len(all[group]) == 0 {
			return errors.New("there is none")
		}
		id = all[group][0].ID
		return nil
	})
	return id, err
}

// byGroup returns the state of every incident there is, by the group that its title names.
func byGroup(ctx context.Context, c *api.Client) (map[string][]*incident.Incident, error) {
	all := map[string][]*incident.Incident{}
	for after := ""; ; {
		page, err := c.List(ctx, api.Filter{Limit: 100, After: after})
		if err != nil {
			return nil, err
		}
		for _, row := range page.Incidents {
			if row.ID == "" {
				return nil, errors.New("an incident has not told its id yet")
			}
			i, err := c.Incident(ctx, row.ID)
			if err != nil {
				return nil, err
			}
			all[i.Definition.Title] = append(all[i.Definition.Title], i)
		}
		if after = page.Next; after == "" {
			return all, nil
		}
	}
}

// do gives a command until it is taken: what is not answered is asked again under the same key.
func do(ctx context.Context, c *api.Client, id incident.ID, cmd incident.Command, key string) error {
	return until(ctx, fmt.Sprintf("%T of %s is taken", cmd, id), func() error {
		_, err := c.Do(ctx, id, cmd, key)
		return err
	})
}

// state waits until an incident is as a test wants it, and returns it.
func (s *system) state(t *testing.T, id incident.ID, what string, ok func(*incident.Incident) bool) *incident.Incident {
	t.Helper()
	var i *incident.Incident
	must(t, until(t.Context(), what, func() (err error) {
		if i, err = s.api.Incident(t.Context(), id); err != nil {
			return err
		}
		if !ok(i) {
			last := i.Timeline.Entries[len(i.Timeline.Entries)-1]
			return fmt.Errorf("%s is %s, %d sends have no outcome, and it has last recorded %s %v", id, i.Status, len(i.Outbox), last.Kind, last.Facts)
		}
		return nil
	}))
	return i
}

// settled tells whether every send has its outcome.
func settled(i *incident.Incident) bool { return len(i.Outbox) == 0 }

// awaitPage waits until somebody has taken so many pages with different ids.
func (s *system) awaitPage(t *testing.T, path string, times int) []attempt {
	t.Helper()
	var got []attempt
	must(t, until(t.Context(), fmt.Sprintf("%s takes page %d", path, times), func() error {
		got = s.sink.got(taken(pages(path)))
		if n := len(ids(got)); n < times {
			return fmt.Errorf("it has taken %d", n)
		}
		return nil
	}))
	return got
}

// open posts a group's first alert and returns the incident.
func (s *system) open(t *testing.T, service, group string) incident.ID {
	t.Helper()
	must(t, deliver(t.Context(), s.url, body(service, group, "firing", 1, "")))
	id, err := opened(t.Context(), s.api, group)
	must(t, err)
	return id
}

// checkTimeline holds the whole timeline of an incident against itself and what was received: its numbers have no gap,
// its instants do not run backwards, every delivery was announced once and has one outcome, and what was delivered was
// taken. It returns the entries.
func checkTimeline(t *testing.T, c *api.Client, id incident.ID, sink *receiver) []timeline.Entry {
	t.Helper()
	before := sink.got(func(a attempt) bool {
		return a.Message.Incident == string(id) && strings.HasPrefix(string(a.ID), string(id))
	})
	i, err := c.Incident(t.Context(), id)
	must(t, err)
	whole, err := c.Timeline(t.Context(), id, "en", 0)
	must(t, err)
	if n := i.Timeline.Dropped + len(i.Timeline.Entries); len(whole.Entries) < n || whole.Entries[0].Kind != timeline.IncidentOpened {
		t.Errorf("%s: the timeline has %d entries, the first is %s; want %d or more from the opening on", id, len(whole.Entries),
			whole.Entries[0].Kind, n)
	}
	received := map[string]bool{} // by now: whether the delivery was taken
	for _, a := range sink.got(func(attempt) bool { return true }) {
		received[string(a.ID)] = received[string(a.ID)] || a.taken
	}
	var entries []timeline.Entry
	begun, outcome, detail := map[string]int{}, map[string]timeline.Kind{}, map[string]string{}
	for n, e := range whole.Entries {
		entries = append(entries, e.Entry)
		if e.Seq != n+1 {
			t.Errorf("%s: entry %d of the timeline has number %d", id, n+1, e.Seq)
		}
		if n > 0 && e.At.Before(whole.Entries[n-1].At) {
			t.Errorf("%s: entry %d is from before entry %d", id, n+1, n)
		}
		d := e.Fact("delivery")
		switch e.Kind {
		case timeline.Sending:
			if begun[d]++; d == "" || begun[d] > 1 {
				t.Errorf("%s: entry %d begins delivery %q, time %d", id, e.Seq, d, begun[d])
			}
		case timeline.Delivered, timeline.Refused, timeline.Withdrawn:
			if was := outcome[d]; begun[d] == 0 || was != "" {
				t.Errorf("%s: entry %d says %s of %q, which was begun %d times and was %q", id, e.Seq, e.Kind, d, begun[d], was)
			}
			outcome[d], detail[d] = e.Kind, e.Fact("detail")
			if e.Kind == timeline.Delivered && !received[d] {
				t.Errorf("%s: entry %d says that %s was delivered; nobody has taken it", id, e.Seq, d)
			}
		}
	}
	for _, a := range before {
		switch {
		case begun[string(a.ID)] == 0:
			t.Errorf("%s: %s was received; the timeline does not know it", id, a.ID)
		case a.taken && outcome[string(a.ID)] == timeline.Refused:
			t.Errorf("%s: %s was taken; the timeline says refused: %s", id, a.ID, detail[string(a.ID)])
		}
	}
	return entries
}

// checkReplay exports the histories of an incident and replays them against the code.
func checkReplay(t *testing.T, c *api.Client, id incident.ID) {
	t.Helper()
	history, err := c.History(t.Context(), id)
	must(t, err)
	replays(t, string(id), history)
}

// replays replays what the API has exported.
func replays(t *testing.T, id string, history []byte) {
	t.Helper()
	runs, err := audit.Decode(bytes.NewReader(history))
	must(t, err)
	replayed, err := audit.Replay(runs)
	must(t, err)
	if err := replayed.Differences.Err(); err != nil {
		t.Errorf("%s: %v", id, err)
	}
}

// entriesOf returns the entries of a kind, with a fact of a value; an empty fact wants none.
func entriesOf(all []timeline.Entry, kind timeline.Kind, fact, value string) []timeline.Entry {
	var found []timeline.Entry
	for _, e := range all {
		if e.Kind == kind && (fact == "" || e.Fact(fact) == value) {
			found = append(found, e)
		}
	}
	return found
}
