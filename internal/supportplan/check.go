package supportplan

import (
	"slices"
	"time"

	"muster/internal/calendar"
)

// An Entitlement is all that decides whether one customer may ask for something.
type Entitlement struct {
	Terms    Terms    `json:"terms"`
	Table    Table    `json:"table"` // without rows where the plan names none
	Contract Contract `json:"contract"`
}

// A Request is what a customer asks for.
type Request struct {
	Kind    string         // "enquiry"; it counts where no feature is named
	Feature string         // ID
	At      time.Time      // when it came in
	Zone    *time.Location // whose months quotas are counted in
	Hours   Open           // whether the channel by which it came is served then
	Used    Count          // how often the feature has been used in the period of its quota so far
	Visited Count          // visits of this year so far
}

// A Count is a number that somebody has counted. The zero Count says that nobody has.
type Count struct {
	Known bool
	N     int
}

// Open says whether something is served at an instant. The zero Open says that nobody knows.
type Open struct {
	Known bool
	Now   bool
	Next  time.Time // when it opens next; zero: nobody knows
}

// OpenAt returns whether a calendar is open at an instant, and when it opens otherwise.
func OpenAt(c *calendar.Calendar, at time.Time) Open {
	o := Open{Known: true, Now: c.Open(at)}
	if !o.Now {
		o.Next, _ = c.NextOpen(at)
	}
	return o
}

// An Outcome is what a check comes to.
type Outcome string

// The outcomes, the worst last.
const (
	Covered   Outcome = "covered"
	Undecided Outcome = "undecided" // the plan does not say, so a person has to
	Outside   Outcome = "outside"   // a person has to approve it, or it is not done
)

// Outcomes lists the outcomes.
func Outcomes() []Outcome { return []Outcome{Covered, Undecided, Outside} }

// A ReasonKind is one thing that a check has found.
type ReasonKind string

// The reasons. Programs read these strings: add, never rename.
const (
	ReasonIncluded    ReasonKind = "included"
	ReasonContracted  ReasonKind = "contracted" // not in the plan, yet in the customer's contract
	ReasonOption      ReasonKind = "option"     // not chosen
	ReasonAddOn       ReasonKind = "add-on"     // not bought
	ReasonNotIncluded ReasonKind = "not-included"
	ReasonByAgreement ReasonKind = "by-agreement" // and nothing has been agreed
	ReasonUnknown     ReasonKind = "unknown"
	ReasonNoFeature   ReasonKind = "no-feature" // the table has no such row, or the plan has no table

	ReasonQuotaLeft      ReasonKind = "quota-left"
	ReasonQuotaUsedUp    ReasonKind = "quota-used-up"
	ReasonQuotaUncounted ReasonKind = "quota-uncounted"

	ReasonVisitsLeft        ReasonKind = "visits-left"
	ReasonVisitsUsedUp      ReasonKind = "visits-used-up"
	ReasonVisitsUncounted   ReasonKind = "visits-uncounted"
	ReasonVisitsByAgreement ReasonKind = "visits-by-agreement" // and no number has been entered
	ReasonNoVisits          ReasonKind = "no-visits"           // the plan says nothing of any

	ReasonInHours      ReasonKind = "in-hours"
	ReasonOutOfHours   ReasonKind = "out-of-hours"
	ReasonHoursUnknown ReasonKind = "hours-unknown"
)

// ReasonKinds lists the reasons.
func ReasonKinds() []ReasonKind {
	return []ReasonKind{
		ReasonIncluded, ReasonContracted, ReasonOption, ReasonAddOn, ReasonNotIncluded, ReasonByAgreement, ReasonUnknown, ReasonNoFeature,
		ReasonQuotaLeft, ReasonQuotaUsedUp, ReasonQuotaUncounted,
		ReasonVisitsLeft, ReasonVisitsUsedUp, ReasonVisitsUncounted, ReasonVisitsByAgreement, ReasonNoVisits,
		ReasonInHours, ReasonOutOfHours, ReasonHoursUnknown,
	}
}

// Outcome returns what a reason alone comes to.
func (k ReasonKind) Outcome() Outcome {
	switch k {
	case ReasonIncluded, ReasonContracted, ReasonQuotaLeft, ReasonVisitsLeft, ReasonInHours:
		return Covered
	case ReasonByAgreement, ReasonUnknown, ReasonNoFeature, ReasonQuotaUncounted, ReasonVisitsUncounted, ReasonNoVisits, ReasonHoursUnknown:
		return Undecided
	case ReasonOption, ReasonAddOn, ReasonNotIncluded, ReasonQuotaUsedUp, ReasonVisitsUsedUp, ReasonVisitsByAgreement, ReasonOutOfHours:
		return Outside
	}
	return Undecided
}

// A Reason is one thing that a check has found, with its facts.
type Reason struct {
	Kind  ReasonKind `json:"kind"`
	Quota Quota      `json:"quota,omitzero"` // of quotas and visits
	Used  int        `json:"used,omitempty"`
	Left  int        `json:"left,omitempty"`
	From  time.Time  `json:"from,omitzero"` // of the period
	To    time.Time  `json:"to,omitzero"`   // the first instant of the next one
	Opens time.Time  `json:"opens,omitzero"`
}

// An OfferKind is a way in which what is outside could be had.
type OfferKind string

// The offers. Programs read these strings: add, never rename.
const (
	OfferOption    OfferKind = "option"
	OfferAddOn     OfferKind = "add-on"
	OfferLevel     OfferKind = "level"     // another level includes it
	OfferAgreement OfferKind = "agreement" // it has to be agreed in the contract
	OfferWait      OfferKind = "wait"      // until the channel opens
)

// OfferKinds lists the offers.
func OfferKinds() []OfferKind {
	return []OfferKind{OfferOption, OfferAddOn, OfferLevel, OfferAgreement, OfferWait}
}

// An Offer is what the customer can be told instead of a bare no.
type Offer struct {
	Kind    OfferKind `json:"kind"`
	Columns []string  `json:"columns,omitempty"` // IDs of the levels
	Opens   time.Time `json:"opens,omitzero"`
}

// A Verdict is what a check comes to, and why.
type Verdict struct {
	Outcome Outcome `json:"outcome"`
	// Approval says that a person has to decide before anything is done.
	Approval bool     `json:"approval"`
	Reasons  []Reason `json:"reasons"`
	Offers   []Offer  `json:"offers,omitempty"`
	Limits   []Limit  `json:"limits,omitempty"` // that bind the feature, whatever the outcome
	Note     Text     `json:"note,omitzero"`    // of the feature
}

// Check says whether a request is covered. Nothing is guessed: what the plan or the table does not say, a person decides.
func (e Entitlement) Check(r Request) Verdict {
	f, known := e.Table.Feature(r.Feature)
	v := Verdict{Note: f.Note, Limits: e.limits(r.Feature)}
	switch {
	case known:
		v.Reasons = append(v.Reasons, e.granted(f, r))
	case r.Feature == "" && e.Terms.promises(r.Kind):
		v.Reasons = append(v.Reasons, Reason{Kind: ReasonIncluded})
	default:
		v.Reasons = append(v.Reasons, Reason{Kind: ReasonNoFeature})
	}
	if f.OnSite {
		v.Reasons = append(v.Reasons, e.visits(r))
	}
	v.Reasons = append(v.Reasons, served(r.Hours))
	return e.Count(v, r.Feature, r.Used, r.Visited)
}

// Count is a verdict on a feature once it has been counted how often it has been used: what was uncounted is left or used up
// then. It needs neither a clock nor a zone.
func (e Entitlement) Count(v Verdict, feature string, used, visited Count) Verdict {
	f, _ := e.Table.Feature(feature)
	out := Verdict{Outcome: Covered, Note: v.Note, Limits: v.Limits}
	for _, r := range v.Reasons {
		switch r.Kind {
		case ReasonQuotaUncounted:
			r = r.counted(used, ReasonQuotaLeft, ReasonQuotaUsedUp)
		case ReasonVisitsUncounted:
			r = r.counted(visited, ReasonVisitsLeft, ReasonVisitsUsedUp)
		default: // nothing to count
		}
		out.add(r)
	}
	out.Approval = out.Outcome != Covered
	out.Offers = e.offers(f, out.Reasons)
	return out
}

// Quota returns the reason that says how often the feature may be used, if there is one.
func (v Verdict) Quota() (Reason, bool) {
	return v.first(ReasonQuotaUncounted, ReasonQuotaLeft, ReasonQuotaUsedUp)
}

// Visits returns the reason that says how many visits there may be, if there is one.
func (v Verdict) Visits() (Reason, bool) {
	return v.first(ReasonVisitsUncounted, ReasonVisitsLeft, ReasonVisitsUsedUp)
}

func (v Verdict) first(kinds ...ReasonKind) (Reason, bool) {
	n := slices.IndexFunc(v.Reasons, func(r Reason) bool { return slices.Contains(kinds, r.Kind) })
	if n < 0 {
		return Reason{}, false
	}
	return v.Reasons[n], true
}

// Of is what decides on one feature, and nothing else: small enough to be kept with a request.
func (e Entitlement) Of(kind, feature string) Entitlement {
	t, terms, c := e.Table, e.Terms, e.Contract
	t.Groups, t.Limits, terms.Limits, c.Features, c.Certificates = nil, nil, nil, nil, nil
	if f, known := e.Table.Feature(feature); known {
		t.Groups = []Group{{Features: []Feature{f}}}
	}
	if slices.Contains(e.Contract.Features, feature) {
		c.Features = []string{feature}
	}
	terms.Requests = nil
	for _, r := range e.Terms.Requests {
		if r.Kind == kind {
			terms.Requests = append(terms.Requests, r)
		}
	}
	terms.Availability = nil
	return Entitlement{Terms: terms, Table: t, Contract: c}
}

// add adds a reason. The worst of them decides.
func (v *Verdict) add(r Reason) {
	v.Reasons = append(v.Reasons, r)
	if all := Outcomes(); slices.Index(all, r.Kind.Outcome()) > slices.Index(all, v.Outcome) {
		v.Outcome = r.Kind.Outcome()
	}
}

// granted says what the plan and the contract give of a feature.
func (e Entitlement) granted(f Feature, r Request) Reason {
	if slices.Contains(e.Contract.Features, f.ID) {
		return Reason{Kind: ReasonContracted}
	}
	switch g := e.Table.Grant(f, e.Terms.Column); g.Kind {
	case Included:
		return Reason{Kind: ReasonIncluded}
	case Limited:
		return within(g.Quota, r, ReasonQuotaUncounted)
	case Option:
		return Reason{Kind: ReasonOption}
	case AddOn:
		return Reason{Kind: ReasonAddOn}
	case NotIncluded:
		return Reason{Kind: ReasonNotIncluded}
	case ByAgreement:
		return Reason{Kind: ReasonByAgreement}
	case Unknown:
	}
	return Reason{Kind: ReasonUnknown}
}

// VisitsBought returns how many visits a year the customer has bought: a number in the contract goes before that of the plan. 0: none stands
// in either.
func (e Entitlement) VisitsBought() int {
	if p := e.Terms.Visits; e.Contract.VisitsPerYear == 0 && p != nil {
		return p.PerYear
	}
	return e.Contract.VisitsPerYear
}

// visits says how many visits are left.
func (e Entitlement) visits(r Request) Reason {
	if perYear := e.VisitsBought(); perYear > 0 {
		return within(Quota{perYear, Year}, r, ReasonVisitsUncounted)
	}
	if p := e.Terms.Visits; p != nil && p.ByAgreement {
		return Reason{Kind: ReasonVisitsByAgreement}
	}
	return Reason{Kind: ReasonNoVisits}
}

// within is a quota in the period that holds a request.
func within(q Quota, r Request, uncounted ReasonKind) Reason {
	x := Reason{Kind: uncounted, Quota: q}
	x.From, x.To = q.Per.Bounds(r.At, r.Zone)
	return x
}

// counted holds a quota against what has been used of it.
func (r Reason) counted(used Count, left, usedUp ReasonKind) Reason {
	if !used.Known {
		return r
	}
	r.Used, r.Left = used.N, r.Quota.Left(used.N)
	if r.Kind = left; r.Left == 0 {
		r.Kind = usedUp
	}
	return r
}

func served(o Open) Reason {
	switch {
	case !o.Known:
		return Reason{Kind: ReasonHoursUnknown}
	case o.Now:
		return Reason{Kind: ReasonInHours}
	}
	return Reason{Kind: ReasonOutOfHours, Opens: o.Next}
}

// levels returns the other levels that include a feature without a limit.
func (e Entitlement) levels(f Feature) (ids []string) {
	for n, c := range e.Table.Columns {
		if !c.Extra && c.ID != e.Terms.Column && n < len(f.In) && f.In[n].Kind == Included {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// offers says how what is outside could be had. What is unknown is not offered.
func (e Entitlement) offers(f Feature, reasons []Reason) (offers []Offer) {
	add := func(o Offer) {
		if !slices.ContainsFunc(offers, func(x Offer) bool { return x.Kind == o.Kind }) {
			offers = append(offers, o)
		}
	}
	for _, r := range reasons {
		switch r.Kind {
		case ReasonOption:
			add(Offer{Kind: OfferOption})
		case ReasonAddOn:
			add(Offer{Kind: OfferAddOn})
		case ReasonByAgreement, ReasonVisitsByAgreement, ReasonVisitsUsedUp:
			add(Offer{Kind: OfferAgreement})
		case ReasonOutOfHours:
			if !r.Opens.IsZero() {
				add(Offer{Kind: OfferWait, Opens: r.Opens})
			}
		default: // nothing to offer
		}
		if r.Kind == ReasonOption || r.Kind == ReasonAddOn || r.Kind == ReasonNotIncluded || r.Kind == ReasonQuotaUsedUp {
			if ids := e.levels(f); len(ids) > 0 {
				add(Offer{Kind: OfferLevel, Columns: ids})
			}
		}
	}
	return offers
}

// limits returns the limits that bind a feature.
func (e Entitlement) limits(feature string) (all []Limit) {
	for _, l := range slices.Concat(e.Table.Limits, e.Terms.Limits) {
		if slices.Contains(l.Features, feature) {
			all = append(all, l)
		}
	}
	return all
}
