package supportplan

import (
	"slices"
	"time"

	"muster/internal/calendar"
)

// An Entitlement is all that decides whether one customer may ask for something.
type Entitlement struct {
	Terms    Terms
	Table    Table // without rows where the plan names none
	Contract Contract
}

// A Request is what a customer asks for.
type Request struct {
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
	v := Verdict{Outcome: Covered, Note: f.Note, Limits: e.limits(r.Feature)}
	if known {
		v.add(e.granted(f, r))
	} else {
		v.add(Reason{Kind: ReasonNoFeature})
	}
	if f.OnSite {
		v.add(e.visits(r))
	}
	v.add(served(r.Hours))
	v.Approval = v.Outcome != Covered
	v.Offers = e.offers(f, v.Reasons)
	return v
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
		return counted(g.Quota, r, r.Used, ReasonQuotaLeft, ReasonQuotaUsedUp, ReasonQuotaUncounted)
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

// visits says how many visits are left. A number in the contract goes before that of the plan.
func (e Entitlement) visits(r Request) Reason {
	perYear := e.Contract.VisitsPerYear
	if p := e.Terms.Visits; perYear == 0 && p != nil {
		perYear = p.PerYear
		if p.ByAgreement {
			return Reason{Kind: ReasonVisitsByAgreement}
		}
	}
	if perYear == 0 {
		return Reason{Kind: ReasonNoVisits}
	}
	return counted(Quota{perYear, Year}, r, r.Visited, ReasonVisitsLeft, ReasonVisitsUsedUp, ReasonVisitsUncounted)
}

// counted holds a quota against what has been used of it.
func counted(q Quota, r Request, used Count, left, usedUp, uncounted ReasonKind) Reason {
	x := Reason{Kind: uncounted, Quota: q}
	x.From, x.To = q.Per.Bounds(r.At, r.Zone)
	if !used.Known {
		return x
	}
	x.Used, x.Left = used.N, q.Left(used.N)
	if x.Kind = left; x.Left == 0 {
		x.Kind = usedUp
	}
	return x
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
