package incident

import (
	"slices"
	"strings"
	"time"

	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// clearAgain is after how long a person is asked once more for an all-clear that keeps an incident from closing.
const clearAgain = 24 * time.Hour

// unclear are the customers that have not heard that it is over: until then an incident does not close (source 003, line 3492). Of
// a restricted one people decide who hears anything, and a part of another one leaves it to that one.
func (i *Incident) unclear() (customers []string) {
	if i.Definition.Communication == nil || i.Definition.Restricted() || i.MergedInto != nil {
		return nil
	}
	for _, c := range i.Definition.Customers {
		if !slices.Contains(i.Cleared, c.ID) {
			customers = append(customers, c.ID)
		}
	}
	return customers
}

// cleared takes in that a customer knows that it is over.
func (i *Incident) cleared(customer string) {
	if i.Definition.Communication != nil && !i.Status.Open() && !slices.Contains(i.Cleared, customer) {
		i.Cleared = append(i.Cleared, customer)
	}
}

// clearDue is when a person is asked once more for the all-clear, zero when nobody has to be.
func (i *Incident) clearDue() time.Time {
	if i.Status != Resolved || len(i.unclear()) == 0 {
		return time.Time{}
	}
	return i.reopenUntil().Add(time.Duration(i.ClearAsked) * clearAgain)
}

// askForClear asks whoever speaks with the customers for what keeps the incident from closing.
func (i *Incident) askForClear(now time.Time) {
	for due := i.clearDue(); !due.IsZero() && !now.Before(due); due = i.clearDue() {
		i.ClearAsked++
		if i.clearDue().After(now) { // of several that are due at once, only the last one
			for _, c := range i.unclear() {
				i.begin(Send{
					Work: Remind, About: AboutResolved, Customer: c, Role: CommunicationsManager, Targets: i.standsFor(CommunicationsManager),
				}, now)
			}
		}
	}
}

// wantClear refuses to close an incident of which customers have not had what they were told would come, unless somebody says why. No
// reason helps where a status page still says that it is not over, and what it says must be approved.
func (c Close) wantClear(i *Incident) error {
	if p := i.Posted; p != nil && p.Status != BackToNormal && i.waits() && i.settles() && !i.writesToAll() && len(i.unclear()) > 0 {
		return i.refuse("close", "while its status page says %s; send the all-clear to all customers, which ends it there", p.Status)
	}
	var lacks []string
	for _, l := range []struct {
		what string
		of   []string
	}{{"the all-clear to", i.unclear()}, {"the result report to", i.unreported()}, {"the answer whether it is fixed of", i.unheard()}} {
		if len(l.of) > 0 {
			lacks = append(lacks, l.what+" "+strings.Join(l.of, ", "))
		}
	}
	if len(lacks) > 0 && strings.TrimSpace(c.Without) == "" {
		return i.refuse("close", "without %s; see to it first, or say without why", strings.Join(lacks, ", without "))
	}
	return i.wantText("close", "without", c.Without, false)
}

// unreported are the customers whose result report was promised and has not reached them. It cannot be sent once it is closed.
func (i *Incident) unreported() (customers []string) {
	if !i.settles() || i.MergedInto != nil {
		return nil
	}
	for n := range i.Clocks {
		if c := &i.Clocks[n]; c.Target == supportplan.ResultReport && c.Open() {
			customers = append(customers, c.Customer)
		}
	}
	return customers
}

// unheard are the customers that still have time to answer whether it is fixed. Once it is closed, they cannot.
func (i *Incident) unheard() (customers []string) {
	if !i.settles() || i.MergedInto != nil {
		return nil
	}
	for n := range i.Confirmations {
		if k := &i.Confirmations[n]; !k.over() {
			customers = append(customers, k.Clock.Customer)
		}
	}
	return customers
}

// waive records what customers do not get, and why.
func (c Close) waive(i *Incident, by timeline.Actor, now time.Time) {
	for _, w := range []struct {
		kind timeline.Kind
		of   []string
	}{{timeline.ClearWaived, i.unclear()}, {timeline.ResultWaived, i.unreported()}, {timeline.FixWaived, i.unheard()}} {
		for _, customer := range w.of {
			i.record(now, w.kind, by, timeline.F("customer", i.customerName(customer)), timeline.F("reason", c.Without))
		}
	}
}
