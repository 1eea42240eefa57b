package incident

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/alert"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// A Notice is how people have reported an incident: a customer, or the front line for one (source 004, lines 54–57). What was
// promised runs from its receipt.
type Notice struct {
	Receipt   string              `json:"receipt,omitempty"`  // number under which it was received; the incident's own when empty
	Channel   supportplan.Channel `json:"channel,omitempty"`  // by which it came
	Customer  string              `json:"customer,omitempty"` // ID of the customer that reported it; empty: the front line did
	Received  time.Time           `json:"received"`
	Occurred  time.Time           `json:"occurred,omitzero"`    // when it began, as far as whoever reported it knows
	NoticedBy string              `json:"noticed_by,omitempty"` // who noticed it first, in words
	Text      string              `json:"text,omitempty"`       // what was reported
	By        timeline.Actor      `json:"by,omitzero"`          // who has entered it
}

// People is the source of the incidents that people report. No alert source has such an ID.
const People = "people"

// Reported is what people say of an incident that has to be defined.
type Reported struct {
	Service   string
	Customers []string       // IDs of those of the service that are affected; all of them when empty
	Impact    priority.Level // the service's when empty
	Urgency   priority.Level // the same
	Title     string         // the service's name when empty
}

// NoticeCounts is how old the receipt of a notice may be when it is entered. Whatever is older is an incident of the past, whose
// promises nobody can keep any more.
const NoticeCounts = 7 * 24 * time.Hour

// Channels lists those by which an incident is reported.
func Channels() []supportplan.Channel {
	return []supportplan.Channel{supportplan.ByPhone, supportplan.ByEmail, supportplan.Desk, supportplan.OnSite}
}

// A NoticeFault is what is wrong with one field of a notice.
type NoticeFault struct{ Field, Detail string }

// Error returns the field and what is wrong with it.
func (f *NoticeFault) Error() string { return f.Field + ": " + f.Detail }

// Faults says what is wrong with a notice that is entered now, at a time with some tolerance between two clocks.
func (n Notice) Faults(now time.Time) (faults []*NoticeFault) {
	const tolerance = 5 * time.Minute
	fault := func(field, detail string, args ...any) {
		faults = append(faults, &NoticeFault{field, fmt.Sprintf(detail, args...)})
	}
	shown := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	switch {
	case n.Received.IsZero():
		fault("received", "missing; want when it was received")
	case n.Received.After(now.Add(tolerance)):
		fault("received", "%s is in the future; want a time until now", shown(n.Received))
	case n.Received.Before(now.Add(-NoticeCounts)):
		fault("received", "%s is more than %d days ago; want a time since then", shown(n.Received), int(NoticeCounts.Hours()/24))
	}
	if n.Channel != "" && !slices.Contains(Channels(), n.Channel) {
		fault("channel", "%q; want %s", n.Channel, listed(Channels()))
	}
	if n.Occurred.After(n.Received) && !n.Received.IsZero() {
		fault("occurred", "%s is after it was received; want a time until then", shown(n.Occurred))
	}
	for _, text := range []struct {
		field, value string
		most         int
	}{{"receipt", n.Receipt, maxReceipt}, {"noticed_by", n.NoticedBy, maxNoticedBy}, {"text", n.Text, MaxText}} {
		if len(text.value) > text.most {
			fault(text.field, "%d bytes; want %d at most", len(text.value), text.most)
		}
	}
	return faults
}

const (
	maxReceipt   = 100
	maxNoticedBy = 200
)

// OpenNoticed makes the incident that people have reported. The definition is that of its service, for the customers that are
// affected.
func OpenNoticed(id ID, def Definition, n Notice, by timeline.Actor, now time.Time) (*Incident, error) {
	i, err := opened(id, def)
	if err != nil {
		return nil, err
	}
	n.Receipt = cmp.Or(strings.TrimSpace(n.Receipt), string(id))
	n.By = by
	i.Notice = &n
	i.Alerts = alert.Set{} // none has said anything yet
	i.Times = Times{Started: n.Received, Alerted: n.Received}
	if !n.Occurred.IsZero() {
		i.Times.Started = n.Occurred
	}
	i.recordOpened(by, now)
	i.record(now, timeline.NoticeReceived, by, timeline.F("receipt", n.Receipt), timeline.F("channel", string(n.Channel)),
		timeline.F("customer", i.customerName(n.Customer)), at("received", n.Received), timeline.F("noticed_by", n.NoticedBy),
		timeline.F("text", n.Text))
	i.startClocks(n.Received, now)
	i.begin(Send{Work: FindPrevious}, now)
	i.lookAround(now)
	i.seekProblem(FindProblem, now)
	if n.Customer != "" {
		s := Send{Work: ConfirmReceipt, Customer: n.Customer}
		if !i.writesItself(n.Customer) {
			s.Work, s.About, s.Role, s.Targets = Remind, AboutReceipt, CommunicationsManager, i.standsFor(CommunicationsManager)
		}
		i.begin(s, now)
	}
	return i, nil
}

// writesItself tells whether Muster itself may write to a customer. Of a restricted incident people decide what a customer learns.
func (i *Incident) writesItself(customer string) bool {
	return customer != "" && i.plan(customer).UpdateBy == supportplan.ByEngine && !i.Definition.Restricted()
}
