package incident

import (
	"time"

	"muster/internal/delivery"
	"muster/internal/supportplan"
)

// An Audience is who reads an update.
type Audience string

// The audiences.
const (
	ForCustomers  Audience = "customer"   // nothing that is the house's own
	ForExecutives Audience = "executives" // what it does to customers and promises, in few words
	ForTechnical  Audience = "technical"  // everything that a responder needs
)

// Audiences lists the audiences.
func Audiences() []Audience { return []Audience{ForCustomers, ForExecutives, ForTechnical} }

// Draft is what a draft of the next update is written from: what is known now. Nobody sends it by itself.
func (i *Incident) Draft(now time.Time) Telling {
	t := Telling{Kind: delivery.CustomerUpdate, Facts: i.Facts(), Says: i.SaysNow()}
	for _, h := range i.Holders {
		if h.Role == IncidentManager { // who leads, and not whoever has acted last
			t.Facts.Responder = h.Shown()
		}
	}
	if p := i.Announced; p != nil && i.Status.Open() && p.Status != BackToNormal {
		t.Workaround = p.Workaround
		if p.Expected.After(now) {
			t.Expected = p.Expected
		}
	}
	for _, c := range i.Clocks { // the first that any customer waits for
		if c.Target == supportplan.Update && c.Open() && c.State == supportplan.Running && !c.Due.IsZero() && (t.Due.IsZero() || c.Due.Before(t.Due)) {
			t.Due = c.Due
		}
	}
	return t
}
