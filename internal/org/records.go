package org

import (
	"muster/internal/delivery"
	"muster/internal/retention"
)

// records is what organisation.yaml says of the archive.
type records struct {
	rule   retention.Rule
	anchor *method // nil: nobody gets its checkpoints
}

// readRecords reads what organisation.yaml says of records.
func (b *builder) readRecords(o *object) {
	if n := o.field("records"); n.kind != absent {
		o.object(n, o.about("records"), func(o *object) {
			b.records.rule = readRule(o)
			if n := o.field("anchor"); n.kind != absent {
				o.object(n, o.about("anchor"), func(o *object) {
					m := b.readMethod(o, "anchor")
					b.records.anchor = &m
				})
			}
		})
	}
}

// customerRecords reads what a customer says of its records.
func (b *builder) customerRecords(o *object, customer string) {
	if n := o.field("records"); n.kind != absent {
		o.object(n, o.about("records"), func(o *object) { b.kept[customer] = readRule(o) })
	}
}

func readRule(o *object) retention.Rule {
	return retention.Rule{Keep: maybe(o, "keep", aTerm, retention.Term{}), Hold: maybe(o, "legal_hold", aProse, "")}
}

// Retention says how long records stay in the archive.
func (o *Organisation) Retention() retention.Policy {
	p := retention.Policy{Revision: o.Revision, Default: o.records.rule, Customers: map[string]retention.Rule{}}
	for id := range o.customers {
		p.Customers[id] = o.kept[id]
	}
	return p
}

// Anchor returns who gets the checkpoints of the archive, and how, with references resolved now. There is none where the folder says
// nothing of it.
func (o *Organisation) Anchor() (to delivery.Recipient, c delivery.Contact, there bool, err error) {
	if o.records.anchor == nil {
		return to, c, false, nil
	}
	to, c, err = o.apart(*o.records.anchor)
	return to, c, true, err
}
