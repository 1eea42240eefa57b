package console

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"muster/internal/incident"
	"muster/internal/link"
	"muster/internal/timeline"
)

// answers tells whether the link asks a customer whether what was resolved is fixed.
func (v *visit) answers() bool { return v.Allows(link.Fixed) || v.Allows(link.NotFixed) }

// question is what the customer of whoever has the link is asked about the newest resolution, the zero one when it is not asked.
func (v *visit) question() incident.Confirmation {
	for _, k := range v.incident.Confirmations {
		if k.Clock.Customer == v.by.Party {
			return k
		}
	}
	return incident.Confirmation{}
}

// asked says what there is to answer now, or why nothing.
func (v *visit) asked() verdict {
	switch i := v.incident; {
	case v.used != nil:
		return verdict{name: "answer.done." + v.used.Action}
	case i.Status == incident.Closed:
		return verdict{name: "answer.closed"}
	case i.Status != incident.Resolved:
		return verdict{name: "answer.reopened"}
	case v.question().Answer != "": // that it is fixed: else it would be open again
		return verdict{name: "answer.answered"}
	}
	s := verdict{actions: v.allowed()}
	if v.open && v.Content != v.content() {
		s.name = "answer.changed"
	}
	return s
}

// An answering is the data of the page that asks a customer. It holds nothing of the inside: no title, no alert, no name.
type answering struct {
	Person          string // whose link it is
	ID, Service     string
	Since, Back     string // from when to when it lasted; Back is empty while it lasts
	Until           string // when nobody waits for the answer any more
	By, At          string // who has done what the page says, and when
	Human           bool   // By names a person
	Fixed, NotFixed bool   // can be answered
	Content         string
	Faulty          link.Action // of which answer Reason and Fault are
	Reason, Fault   string
}

// showAnswer shows what is asked, and what can be answered.
func (c *Console) showAnswer(w http.ResponseWriter, r *http.Request, status int, v *visit, s verdict, why reason) {
	p := c.page(r, "answer", cmp.Or(s.name, "answer.decide"), v.Person)
	i, k := v.incident, v.question()
	to, _ := recipient(c.cfg.Organisation(), v.Person)
	zone := cmp.Or(to.Zone, i.Definition.Zone) // as in the message
	a := answering{
		Person: v.by.Actor.Shown(), ID: string(i.ID), Service: i.Definition.Service.Name, Content: v.content(),
		Fixed: slices.Contains(s.actions, link.Fixed), NotFixed: slices.Contains(s.actions, link.NotFixed),
		Faulty: why.action, Reason: why.text, Fault: why.fault,
	}
	by, at := v.by.Actor, time.Time{}
	switch {
	case v.used != nil:
		at = v.used.At
	case k.By != nil:
		by, at = *k.By, k.Answered
	default:
		e := last(i, func(e timeline.Entry) bool {
			return e.Kind == timeline.StatusChanged && e.Fact("from") == string(incident.Resolved)
		})
		by, at = e.Actor, e.At
	}
	a.By, a.Human = c.shownTo(v, by)
	moment := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return c.cfg.Texts.Moment(at, p.Language, zone)
	}
	a.Since, a.Until, a.At = moment(i.Times.Started), moment(k.Clock.Due), moment(at)
	if !i.Status.Open() {
		a.Back = moment(i.Times.Resolved)
	}
	p.Data = a
	c.show(w, r, status, p)
}
