package org

import (
	"sync"

	"muster/internal/authority"
	"muster/internal/plan"
	"muster/templates"
)

// registerFile is the register of standing duties that comes with Muster.
const registerFile = "register.yaml"

// ShippedRegister returns the standing duties that come with Muster.
func ShippedRegister() (plan.Register, error) { return shippedRegister() }

var shippedRegister = sync.OnceValues(func() (plan.Register, error) {
	content, err := templates.FS.ReadFile(registerFile)
	if err != nil {
		return plan.Register{}, err
	}
	return readRegister(registerFile, content)
})

var aPeriod = oneOf(plan.Periods()...)

// readRegister reads a register. Its error is a *Refusal.
func readRegister(file string, content []byte) (plan.Register, error) {
	n, faults := parse(file, content)
	r := &reader{faults: faults, tables: map[string]*table{}}
	x := plan.Register{}
	r.object(n, "register", func(o *object) {
		x.ID, _ = need(o, "id", anID)
		x.Name, x.Source = both(o, "name", aName), maybe(o, "source", aProse, "")
		o.entries("roles", "role", some, func(o *object, id string) {
			party, _ := need(o, "party", oneOf(authority.PartyKinds()...))
			x.Roles = append(x.Roles, plan.Role{ID: id, Party: party, Name: both(o, "name", aName)})
		})
		o.entries("sections", "section", some, func(o *object, id string) {
			s := plan.Section{ID: id, Name: both(o, "name", aName)}
			o.entries("duties", "duty", some, func(o *object, id string) {
				d := plan.Duty{ID: id, Name: both(o, "name", aName), Source: maybe(o, "source", aProse, ""), Assignment: readAssignment(o)}
				d.Evidence = both(o, "evidence", aProse)
				d.Every, _ = need(o, "every", aPeriod)
				o.hold(d.Check())
				s.Duties = append(s.Duties, d)
			})
			x.Sections = append(x.Sections, s)
		})
	})
	if len(r.faults) > 0 {
		return plan.Register{}, &Refusal{Plan: file, Faults: sorted(r.faults)}
	}
	return x, nil
}
