package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"muster/internal/asset"
	"muster/internal/authority"
	"muster/internal/planrun"
	"muster/internal/routine"
	"muster/starter"
)

// mostEvents is how much of a history an answer has at most.
const mostEvents = 200

// An AssetList is the assets that whoever asks may read, in the order of the organisation folder.
type AssetList struct {
	Assets   []asset.Asset `json:"assets"`
	Language string        `json:"language"` // in which the organisation reads …
	Zone     string        `json:"zone"`     // … and its IANA zone
}

// An AssetShown is an asset with its history, as far as whoever asks may read it.
type AssetShown struct {
	Asset asset.Asset `json:"asset"`
	// History is of what the engine still has, the newest first: what was over before its retention stands in the archive alone.
	History []asset.Event `json:"history"`
	More    bool          `json:"more,omitempty"` // there is older that stands here no more
	// NoAlerts says that the folder has no labels of its alerts, so that no incident is known to be about it.
	NoAlerts bool   `json:"no_alerts,omitempty"`
	Language string `json:"language"`
	Zone     string `json:"zone"`
}

func (s *server) assetRoutes() []route {
	return []route{
		{http.MethodGet, "assets", "", "", s.listAssets},
		{http.MethodGet, "assets/{id}", authority.Read, authority.Asset, inTurn(2)(s.showAsset)}, // asks all that was
		{http.MethodPost, "vendor-notices", authority.Open, authority.Asset, s.takeVendorNotice},
	}
}

// aboutAsset is an asset as authority sees it: it concerns its customer, and the partners and vendors of its services.
func (s *server) aboutAsset(a *asset.Asset) authority.Object {
	o := authority.Object{Kind: authority.Asset}
	if a.Customer.ID != "" {
		o.Customers = []string{a.Customer.ID}
	}
	for _, x := range a.Services {
		o.Partners = append(o.Partners, s.Directory().Partners(x.ID)...)
	}
	return o
}

// assetSeen is an asset as somebody may see it.
func assetSeen(a asset.Asset, by authority.Subject) asset.Asset {
	if by.Kind == authority.Provider {
		return a
	}
	return a.Shown()
}

// listAssets answers with the assets of the folder that pass a filter. What nobody may see is not sought in either.
func (s *server) listAssets(w http.ResponseWriter, r *http.Request) error {
	q := asked{Values: r.URL.Query()}
	f := asset.Filter{Customer: q.Get("customer"), Service: q.Get("service"), Environment: q.Get("environment"), Kind: q.Get("kind"), Text: q.Get("text")}
	for _, t := range q.Values["tag"] {
		key, value, ok := strings.Cut(t, "=")
		if !ok || key == "" {
			q.fault("tag", "a key and its value, such as tier=data")
		}
		f.Tags = append(f.Tags, asset.Tag{Key: key, Value: value})
	}
	once := url.Values{}
	for name, all := range q.Values { // each of several tags narrows
		if once[name] = all; name == "tag" {
			once[name] = all[:1]
		}
	}
	if err := queryFaults(once, q.faults, "customer", "service", "environment", "kind", "tag", "text"); err != nil {
		return err
	}
	by := visiting(r.Context()).Subject
	own := authority.Object{Kind: authority.Asset, Customers: []string{by.Party}, Partners: []string{by.Party}}
	if err := s.denied(r, authority.Read, authority.May(by, authority.Read, own)); err != nil {
		return err
	}
	list := AssetList{Assets: []asset.Asset{}, Language: s.Language, Zone: s.Zone}
	for _, a := range s.Directory().Assets() {
		if authority.May(by, authority.Read, s.aboutAsset(&a)) != nil {
			continue
		}
		if a = assetSeen(a, by); f.Takes(&a) {
			list.Assets = append(list.Assets, a)
		}
	}
	return answer(w, list)
}

// showAsset answers with an asset, and gathers its history.
func (s *server) showAsset(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	a, known := s.Directory().Asset(r.PathValue("id"))
	if !known {
		return &starter.NotFoundError{What: "asset " + r.PathValue("id")}
	}
	by := visiting(r.Context())
	history, more, err := s.assetHistory(r.Context(), by, &a)
	if err != nil {
		return err
	}
	kept, older := asset.Newest(history, mostEvents)
	return answer(w, AssetShown{
		Asset: assetSeen(a, by.Subject), History: append([]asset.Event{}, kept...), More: more || older, NoAlerts: len(a.Alerts) == 0, Language: s.Language, Zone: s.Zone,
	})
}

// assetHistory gathers what has happened to an asset of what a visitor may read: only the changes, incidents and runs themselves know.
func (s *server) assetHistory(ctx context.Context, by visitor, a *asset.Asset) ([]asset.Event, bool, error) {
	of := []string{a.Customer.ID}
	changes, moreChanges, err := gathered(func(after string) ([]ChangeSummary, string, error) {
		return s.Backend.Changes(ctx, ChangeFilter{Customers: of, Limit: MaxRows, After: after})
	}, func(row ChangeSummary) ([]asset.Event, error) {
		c, err := s.Backend.Change(ctx, row.ID)
		if err != nil || !slices.Contains(c.Assets, a.ID) || authority.May(by.Subject, authority.Read, aboutChange(&c.Pinned)) != nil {
			return nil, err
		}
		from := c.Opened
		if !c.Began.IsZero() {
			from = c.Began
		}
		return []asset.Event{{Kind: asset.Change, ID: string(c.ID), Title: c.Title, Status: string(c.Status), From: from, Until: c.Ended, Named: true}}, nil
	})
	if err != nil {
		return nil, false, err
	}
	incidents, moreIncidents, err := s.incidentsOf(ctx, by, a)
	if err != nil {
		return nil, false, err
	}
	runs, moreRuns, err := gathered(func(after string) ([]PlanRunSummary, string, error) {
		return s.Backend.PlanRuns(ctx, PlanRunFilter{Customers: of, Limit: MaxRows, After: after})
	}, func(row PlanRunSummary) ([]asset.Event, error) {
		run, err := s.Backend.PlanRun(ctx, row.ID)
		if err != nil || authority.May(by.Subject, authority.Read, s.aboutRun(run)) != nil {
			return nil, err
		}
		return s.ranOn(by.Subject, run, row.Title, a), nil
	})
	if err != nil {
		return nil, false, err
	}
	return slices.Concat(changes, incidents, runs, s.timesOf(ctx, by.Subject, a)), moreChanges || moreIncidents || moreRuns, nil
}

// incidentsOf are those of the services of an asset of which an alert has its labels. Of restricted ones nobody hears who may not read them.
func (s *server) incidentsOf(ctx context.Context, by visitor, a *asset.Asset) ([]asset.Event, bool, error) {
	see, some := s.sight(by)
	if len(a.Alerts) == 0 || !some {
		return nil, false, nil
	}
	f := Filter{Customers: []string{a.Customer.ID}, Ordinary: see.Ordinary, Limit: MaxRows}
	for _, x := range a.Services {
		f.Services = append(f.Services, x.ID)
	}
	return gathered(func(after string) ([]Summary, string, error) {
		f.After = after
		return s.Backend.List(ctx, f)
	}, func(row Summary) ([]asset.Event, error) {
		i, err := s.Backend.State(ctx, row.ID)
		if err != nil || !s.reads(by.Subject, i) {
			return nil, err
		}
		for _, labels := range i.Alerts.Labels() {
			if !slices.ContainsFunc(a.Alerts, func(t asset.Tag) bool { return labels.Value(t.Key) != t.Value }) {
				title := i.Definition.Title
				if authority.May(by.Subject, authority.ReadInternal, s.about(authority.Incident, i)) != nil {
					title = i.Definition.PublicTitle()
				}
				return []asset.Event{{
					Kind: asset.Incident, ID: string(i.ID), Title: title, Status: string(i.Status), From: i.Times.Started, Until: i.Times.Closed, Named: true,
				}}, nil
			}
		}
		return nil, nil
	})
}

// ranOn is a run that names an asset, or works in its environment and is about no other asset alone.
func (s *server) ranOn(by authority.Subject, r *planrun.Run, title string, a *asset.Asset) []asset.Event {
	if r.Customer != a.Customer.ID {
		return nil
	}
	e := asset.Event{Kind: asset.Plan, ID: string(r.ID), Title: title, Status: string(r.Status), From: r.Opened, Until: r.Ended}
	of := ""
	if r.Routine != nil {
		e.Kind, of = asset.Visit, s.Directory().AssetOf(r.Routine.ID)
		if by.Kind == authority.Provider {
			e.Routine = r.Routine.ID
		}
	}
	about := noticedAssets(r)
	if about != nil {
		e.Kind = asset.Vendor
	}
	e.Named = of == a.ID || slices.ContainsFunc(r.Parameters, func(v planrun.Value) bool { return v.Value == a.ID || slices.Contains(v.List, a.ID) })
	stands := func(b planrun.Bound) bool { return b.Environment == a.Environment.ID }
	if !e.Named && (of != "" || about != nil || !slices.ContainsFunc(r.Environments, stands)) {
		return nil
	}
	return []asset.Event{e}
}

// timesOf are the times of routines in the environment of an asset that had no run. They are the provider's own.
func (s *server) timesOf(ctx context.Context, by authority.Subject, a *asset.Asset) (all []asset.Event) {
	if by.Kind != authority.Provider || authority.May(by, authority.Read, authority.Object{Kind: authority.Routine}) != nil {
		return nil
	}
	var ids []string
	for _, id := range s.Directory().RoutinesIn(a.Customer.ID, a.Environment.ID) {
		if of := s.Directory().AssetOf(id); of == "" || of == a.ID {
			ids = append(ids, id)
		}
	}
	for n, stands := range s.Backend.Routines(ctx, ids) {
		if stands.Err != nil { // one that nobody keeps yet has had no times, and one that does not answer hides no other
			continue
		}
		for _, o := range stands.State.Past {
			if o.Run == "" {
				all = append(all, asset.Event{
					Kind: asset.Visit, ID: ids[n], Title: stands.State.Name, Status: string(o.Fate), Routine: ids[n], From: o.Planned, Until: ended(o),
					Named: s.Directory().AssetOf(ids[n]) == a.ID,
				})
			}
		}
	}
	return all
}

// ended is when a time that had no run was over: it is written down only when somebody looks.
func ended(o routine.Occurrence) time.Time {
	if o.Fate == routine.Missed {
		return o.Due
	}
	return o.Ended
}

// Assets lists assets.
func (c *Client) Assets(ctx context.Context, f asset.Filter) (AssetList, error) {
	q := queryOf("customer", f.Customer, "service", f.Service, "environment", f.Environment, "kind", f.Kind, "text", f.Text)
	for _, t := range f.Tags {
		q.Add("tag", t.Key+"="+t.Value)
	}
	var list AssetList
	err := c.read(ctx, Path+"assets", q, &list)
	return list, err
}

// Asset returns an asset with its history.
func (c *Client) Asset(ctx context.Context, id string) (AssetShown, error) {
	var x AssetShown
	err := c.read(ctx, Path+"assets/"+url.PathEscape(id), nil, &x)
	return x, err
}
