package acceptance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"muster/internal/audit"
	"muster/internal/incident"
	"muster/starter/api"
)

// as makes an API client of somebody, with a token that the administrator has made.
func (s *system) as(t *testing.T, actor string) *api.Client {
	t.Helper()
	made, err := s.api.CreateToken(t.Context(), api.NewToken{Actor: actor, Label: "trial"})
	must(t, err)
	c, err := api.NewClient(s.url, made.Secret)
	must(t, err)
	return c
}

// sees lists the incidents that somebody is shown.
func sees(ctx context.Context, c *api.Client) ([]incident.ID, error) {
	page, err := c.List(ctx, api.Filter{})
	var ids []incident.ID
	for _, row := range page.Incidents {
		ids = append(ids, row.ID)
	}
	slices.Sort(ids)
	return ids, err
}

func status(err error) int {
	p := api.Refusal{}
	if err == nil {
		return http.StatusOK
	}
	if !errors.As(err, &p) {
		return 0
	}
	return p.Status
}

// Parties meet the real lists of Temporal: each sees and touches its own, and who does what is proven by the history alone.
func TestEachPartyHasItsOwn(t *testing.T) {
	t.Parallel()
	s := newSystem(t, nil)
	ids := map[string]incident.ID{}
	for _, service := range []string{"till", "plant"} {
		must(t, deliver(t.Context(), s.url, body(service, service, "firing", 1, "")))
		id, err := opened(t.Context(), s.api, service)
		must(t, err)
		ids[service] = id
	}
	acme, globex, partner, bob := s.as(t, "acme/desk"), s.as(t, "globex/desk"), s.as(t, "kay"), s.as(t, "bob")
	for name, tc := range map[string]struct {
		client *api.Client
		want   []incident.ID
	}{
		"the customer of the till":  {acme, []incident.ID{ids["till"]}},
		"the customer of the plant": {globex, []incident.ID{ids["plant"]}},
		"the partner for the plant": {partner, []incident.ID{ids["plant"]}},
		"whoever works for us":      {bob, []incident.ID{ids["till"], ids["plant"]}},
	} {
		slices.Sort(tc.want)
		must(t, until(t.Context(), name+" sees its own", func() error {
			got, err := sees(t.Context(), tc.client)
			if err == nil && !slices.Equal(got, tc.want) {
				err = fmt.Errorf("got %v, want %v", got, tc.want)
			}
			return err
		}))
	}
	_, foreign := globex.Incident(t.Context(), ids["till"])
	_, own := globex.Incident(t.Context(), ids["plant"])
	_, takes := acme.Do(t.Context(), ids["till"], incident.Acknowledge{}, "")
	_, helps := partner.Do(t.Context(), ids["plant"], incident.Acknowledge{}, "")
	_, closes := partner.Do(t.Context(), ids["plant"], incident.Close{}, "")
	_, strays := partner.Do(t.Context(), ids["till"], incident.Acknowledge{}, "")
	_, works := bob.Do(t.Context(), ids["till"], incident.Acknowledge{}, "")
	got := []int{status(foreign), status(own), status(takes), status(helps), status(closes), status(strays), status(works)}
	if want := []int{404, 200, 403, 200, 403, 404, 200}; !slices.Equal(got, want) {
		t.Errorf("answered %v, want %v", got, want)
	}

	// What an auditor has: the history, and the public keys.
	history, err := bob.History(t.Context(), ids["plant"])
	must(t, err)
	runs, err := audit.Decode(bytes.NewReader(history))
	must(t, err)
	listed, err := s.api.Keys(t.Context())
	must(t, err)
	keys := audit.PublicKeys{}
	for _, k := range listed {
		keys[k.ID] = audit.PublicKey{Key: k.Public}
	}
	verdicts, err := audit.Actors(runs, keys)
	must(t, err)
	seen := map[string]string{}
	for _, v := range verdicts {
		if v.Err != nil {
			t.Errorf("%s of %s: %v", v.Message, v.By.ID, v.Err)
		}
		seen[v.Message] = v.By.ID + " by " + strings.SplitN(v.Via, ":", 2)[0]
	}
	want := map[string]string{"Incident": "alertmanager by intake", "Alerts": "alertmanager by intake", "Acknowledge": "kay by token"}
	if fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("the history proves %v, want %v", seen, want)
	}
}
