package demo

import (
	"context"
	_ "embed" // the runbooks of the response
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/response"
	"muster/internal/timeline"
	"muster/starter/api"
)

// An act of its own: what Muster does about incidents by itself, until it has failed too often.

//go:embed look-at-server.md
var lookAtServer string

//go:embed restart-server.md
var restartServer string

// restarts is the automatic response.
const restarts = "restart-checkout"

// repairs is what has come of the servers.
type repairs struct {
	known []incident.ID // incidents from before
	last  incident.ID
}

func (s *story) responding() []scene {
	return []scene{
		{"an alert whose route asks for it: Muster looks at the server, restarts it and resolves the incident, and pages nobody", s.repairs},
		{"the next server cannot be restarted: the first on-call is paged at once, and reads what was tried", s.failsToRepair},
		{"when it fails a second time in a row, the response switches itself off, and whoever answers for it hears so", s.switchesOff},
		{"while it is off, people are paged at once, and nothing is done to the server", s.staysOff},
		{"nobody switches it on without saying why; then it repairs again", s.switchesOn},
		{"an emergency stop holds it back, by anybody's word", s.isStopped},
	}
}

// breaks posts the alert of a server, and waits for what becomes of its incident.
func (s *story) breaks(ctx context.Context, server string, check func(*incident.Incident) bool) error {
	labels := map[string]string{"alertname": "ShopServerDown", "service": "garam-shop", "instance": server, "severity": "warning"}
	body, err := json.Marshal(map[string]any{
		"version": "4", "receiver": "muster", "status": "firing", "groupKey": "server/" + server, "groupLabels": labels, "commonLabels": labels,
		"alerts": []any{map[string]any{
			"status": "firing", "labels": labels, "annotations": map[string]string{"summary": server + " does not answer"}, "fingerprint": server,
			"startsAt": time.Now().UTC().Format(time.RFC3339), "endsAt": "0001-01-01T00:00:00Z",
		}},
	})
	if err != nil {
		return err
	}
	if err := s.send(ctx, "the alert of "+server, body); err != nil {
		return err
	}
	return until(ctx, func() (bool, error) {
		all, err := s.api.List(ctx, api.Filter{Limit: api.MaxRows})
		if err != nil {
			return false, err
		}
		n := slices.IndexFunc(all.Incidents, func(i api.Summary) bool {
			return strings.HasPrefix(i.Title, server+":") && !slices.Contains(s.servers.known, i.ID)
		})
		if n < 0 {
			return false, nil
		}
		i, err := s.api.Incident(ctx, all.Incidents[n].ID)
		if err != nil || !check(i) {
			return false, err
		}
		s.servers.last, s.servers.known = i.ID, append(s.servers.known, i.ID)
		return true, nil
	})
}

// ends lets a person end the newest incident, so that the next alert of its server opens another one.
func (s *story) ends(ctx context.Context) error {
	i, err := s.api.Incident(ctx, s.servers.last)
	if err == nil && i.Status.Open() {
		_, err = s.api.Do(ctx, i.ID, incident.Resolve{Note: "A new disk."}, "")
	}
	if err == nil {
		_, err = s.api.Do(ctx, s.servers.last, incident.Close{Without: "nobody has noticed it"}, "")
	}
	if err != nil {
		return err
	}
	return s.lookAt(ctx, &s.servers.last, func(i *incident.Incident) bool { return i.Ended() })
}

// paged counts the pages of the newest incident.
func (s *story) pagedFor(i *incident.Incident) (n int) {
	for _, e := range i.Timeline.Entries {
		if e.Kind == timeline.Delivered && e.Fact("what") == string(delivery.Page) {
			n++
		}
	}
	return n
}

func is(i *incident.Incident, o response.Outcome) bool {
	return i.Response != nil && i.Response.State == incident.ResponseState(o)
}

func (s *story) repairs(ctx context.Context) error {
	if err := s.hire(ctx); err != nil {
		return err
	}
	if err := s.breaks(ctx, "shop-1", func(i *incident.Incident) bool { return i.Status == incident.Resolved }); err != nil {
		return err
	}
	i, err := s.api.Incident(ctx, s.servers.last)
	if err != nil {
		return err
	}
	if !is(i, response.Worked) || len(i.Response.Found) != 1 || i.Response.Found[0].Output != "shop-1: stuck" || s.pagedFor(i) > 0 || len(i.Responders) > 0 {
		return fmt.Errorf("its response is %+v, with %d pages", i.Response, s.pagedFor(i))
	}
	if got, want := s.sink.shop.work(), "out shop-1, restart shop-1, in shop-1"; got != want {
		return fmt.Errorf("done to the servers was %q, want %q", got, want)
	}
	return s.ends(ctx)
}

func (s *story) failsToRepair(ctx context.Context) error {
	s.sink.shop.worn.Store(true)
	err := s.breaks(ctx, "shop-2", func(i *incident.Incident) bool { return is(i, response.Failed) && s.pagedFor(i) > 0 })
	if err != nil {
		return err
	}
	if !s.sink.said(delivery.Page, s.first.ID, "shop-2: stuck") || !s.sink.said(delivery.Page, s.first.ID, "no disk") {
		page, _ := s.sink.last(delivery.Page, s.first.ID)
		return fmt.Errorf("the page says %q", page.Message.Text)
	}
	return s.ends(ctx)
}

func (s *story) switchesOff(ctx context.Context) error {
	told := s.sink.count(delivery.Reminder, s.second.ID) + s.sink.count(delivery.Reminder, s.first.ID)
	if err := s.breaks(ctx, "shop-3", func(i *incident.Incident) bool { return is(i, response.Failed) && s.pagedFor(i) > 0 }); err != nil {
		return err
	}
	if err := until(ctx, func() (bool, error) {
		r, err := s.crew.lead.Response(ctx, restarts)
		return err == nil && r.Off != nil && r.Off.By == timeline.Muster() && r.Failed == 2 &&
			s.sink.count(delivery.Reminder, s.second.ID)+s.sink.count(delivery.Reminder, s.first.ID) > told, err
	}); err != nil {
		return err
	}
	return s.ends(ctx)
}

func (s *story) staysOff(ctx context.Context) error {
	before := s.sink.shop.work()
	if err := s.breaks(ctx, "shop-4", func(i *incident.Incident) bool {
		return i.Response != nil && i.Response.State == incident.ResponseRefused && i.Response.Why == string(response.IsOff) && s.pagedFor(i) > 0
	}); err != nil {
		return err
	}
	if got := s.sink.shop.work(); got != before {
		return fmt.Errorf("done to the servers was %q", got)
	}
	return s.ends(ctx)
}

func (s *story) switchesOn(ctx context.Context) error {
	s.sink.shop.worn.Store(false)
	_, err := s.crew.lead.SwitchResponseOn(ctx, restarts, response.SwitchOn{}, "")
	if err := refused(err, "reason"); err != nil {
		return err
	}
	if _, err := s.crew.lead.SwitchResponseOn(ctx, restarts, response.SwitchOn{Reason: "All servers have new disks."}, ""); err != nil {
		return err
	}
	if err := s.breaks(ctx, "shop-3", func(i *incident.Incident) bool { return is(i, response.Worked) && i.Status == incident.Resolved }); err != nil {
		return err
	}
	return s.ends(ctx)
}

func (s *story) isStopped(ctx context.Context) error {
	if _, err := s.crew.manager.SwitchResponseOff(ctx, restarts, response.SwitchOff{Reason: "The shop has a sale."}, ""); err != nil {
		return err
	}
	r, err := s.crew.lead.Response(ctx, restarts)
	if err == nil && (r.Off == nil || r.Off.By.ID != "choi") {
		err = fmt.Errorf("it is switched off by %+v", r.Off)
	}
	return err
}
