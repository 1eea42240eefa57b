package callback

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"muster/internal/refusal"
	"muster/internal/timeline"
	"muster/starter"
)

// takeTickets tells incidents what was done to their tickets. What is about no incident of ours is taken all the same, for a system gives up a
// hook that refuses too often.
func (c *Callbacks) takeTickets(w http.ResponseWriter, r *http.Request, body []byte) error {
	s := c.cfg.Tickets
	if why := s.Proves(r, body, c.cfg.Now()); why != "" {
		return c.unproven(r, "signature", why)
	}
	all, err := s.Read(body)
	if err != nil {
		return refusal.Body{Status: http.StatusBadRequest, Field: "body", Detail: err.Error()}
	}
	ctx, cancel := context.WithTimeout(r.Context(), Patience)
	defer cancel()
	told := 0
	for _, t := range all {
		err := c.cfg.Incidents.TicketChanged(ctx, t, timeline.Actor{Kind: timeline.Source, ID: s.Name, Name: s.Shown()})
		if _, gone := errors.AsType[*starter.NotFoundError](err); gone {
			c.cfg.Log.Info("ticket of no incident that goes on", "system", s.Name, "incident", t.Key, "ticket", t.Ref, "deed", t.Deed)
			continue
		}
		if err != nil {
			return err
		}
		c.cfg.Log.Info("ticket changed", "system", s.Name, "incident", t.Key, "ticket", t.Ref, "deed", t.Deed)
		told++
	}
	if len(all) == 0 {
		c.cfg.Log.Debug("nothing of tickets of incidents", "system", s.Name)
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(map[string]int{"told": told})
}
