package change

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/approval"
	"muster/internal/escalation"
)

// A Class is a class of risk: who approves changes of it, and what has to hold before they run.
type Class struct {
	ID     string  `json:"id"`
	Name   string  `json:"name"`
	Checks []Check `json:"checks,omitempty"`

	Approval
}

// An Approval is who votes, and how many have to say yes.
type Approval struct {
	Rule      approval.Rule `json:"rule"`
	Approvers []Approver    `json:"approvers"` // those of the rule, in its order
}

// An Approver is one voter of a rule with whoever fills it. Who that is is found anew for each vote.
type Approver struct {
	Role    string              `json:"role"`
	Targets []escalation.Target `json:"targets"`
}

// A Check is what has to hold before a change runs.
type Check struct {
	ID   string              `json:"id"`
	Text string              `json:"text"`
	By   []escalation.Target `json:"by,omitempty"`   // who says whether it does; none: the owners
	Plan string              `json:"plan,omitempty"` // ID of a plan, of which a completed run has to show that it does
}

// An Afterwards is how an emergency is approved after it has begun.
type Afterwards struct {
	Approval

	Within   time.Duration       `json:"within"`
	Calendar string              `json:"calendar,omitempty"` // ID; empty: around the clock
	Escalate []escalation.Target `json:"escalate"`           // who is told when that is missed, or it is rejected
}

// A PreApproved change may be used by anybody, as long as it is used as it was approved.
type PreApproved struct {
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Scenario     string   `json:"scenario"`
	Class        string   `json:"class"`
	Services     []string `json:"services"`               // IDs: no others
	Customers    []string `json:"customers,omitempty"`    // IDs: no others, where there are any
	Environments []string `json:"environments,omitempty"` // IDs, as customers call them: no others, where there are any
	Plan         string   `json:"plan,omitempty"`         // ID of the plan that it becomes
	PlanSHA256   string   `json:"plan_sha256,omitempty"`  // as it stands in the folder
	Runbook      string   `json:"runbook,omitempty"`      // ID of the runbook by which it is done, where it becomes no plan
	Fixed        []Given  `json:"fixed,omitempty"`        // parameters of the plan as they were approved
	Free         []string `json:"free,omitempty"`         // parameters that whoever uses it may choose
	// Who has approved it, on which day and until which, the last on which it may be used.
	ApprovedBy string        `json:"approved_by"`
	ApprovedOn string        `json:"approved_on"`
	Until      string        `json:"until"`
	Ends       time.Time     `json:"ends"`           // when that day is over
	Most       int           `json:"most,omitempty"` // uses at most …
	Per        time.Duration `json:"per,omitempty"`  // … within so long
}

// Outside says why a use of it is none that was approved, empty when it is one.
func (s *PreApproved) Outside(a *Asked, used int, now time.Time) string {
	outside := func(what string, given, scope []string) string {
		for _, g := range given {
			if len(scope) > 0 && !slices.Contains(scope, g) {
				return fmt.Sprintf("%s %s: it was approved for %s alone", what, g, strings.Join(scope, ", "))
			}
		}
		return ""
	}
	switch {
	case !now.Before(s.Ends):
		return fmt.Sprintf("it was approved until %s", s.Until)
	case a.Until.After(s.Ends):
		return fmt.Sprintf("until %s: it was approved until %s", at(a.Until), s.Until)
	case s.Most > 0 && used >= s.Most:
		return fmt.Sprintf("it was used %d times within %s: it was approved for %d", used, s.Per, s.Most)
	case (s.Plan != "") != (a.Plan != nil):
		return "it was approved with another plan"
	}
	customers := a.Customers
	var environments []string
	if p := a.Plan; p != nil {
		if p.ID != s.Plan {
			return fmt.Sprintf("plan %s: it was approved for %s", p.ID, s.Plan)
		}
		customers = append(slices.Clone(customers), p.Customer)
		for _, e := range p.Environments {
			environments = append(environments, e.Value)
		}
		for _, g := range p.Parameters {
			fixed := slices.IndexFunc(s.Fixed, func(f Given) bool { return f.ID == g.ID })
			switch {
			case fixed >= 0 && s.Fixed[fixed].Value != g.Value:
				return fmt.Sprintf("parameter %s: it was approved as %q", g.ID, s.Fixed[fixed].Value)
			case fixed < 0 && !slices.Contains(s.Free, g.ID):
				return fmt.Sprintf("parameter %s: it was not approved as one that may be chosen", g.ID)
			}
		}
		for _, f := range s.Fixed {
			if !slices.Contains(p.Parameters, f) {
				return fmt.Sprintf("parameter %s: it was approved as %q", f.ID, f.Value)
			}
		}
	}
	for _, why := range []string{
		outside("service", a.Services, s.Services), outside("customer", customers, s.Customers), outside("environment", environments, s.Environments),
	} {
		if why != "" {
			return why
		}
	}
	return ""
}

// rank is where a class stands among the classes, the least risky first; negative when it is none of them.
func (p *Pinned) rank(class string) int {
	return slices.IndexFunc(p.Classes, func(c Class) bool { return c.ID == class })
}

// least is the class that it has at least: that of whoever asks, or that which the rules ask for.
func (t *Terms) least() string {
	if t.Way == Standard {
		return t.PreApproved.Class
	}
	return t.Classes[max(t.rank(t.Class), t.rank(t.Floor), 0)].ID
}

// class is its class as it stands.
func (c *Change) class() Class { return c.Classes[max(c.rank(c.Risk), 0)] }

// ClassName is what its class is called.
func (c *Change) ClassName() string { return c.class().Name }

// Checks are what has to hold before it runs. An emergency waits for nothing.
func (c *Change) Checks() []Check {
	if c.Way == Emergency {
		return nil
	}
	return c.class().Checks
}

// Answer is the newest answer to a check, nil where there is none.
func (c *Change) Answer(check string) *Answer {
	n := slices.IndexFunc(c.Answers, func(a Answer) bool { return a.Check == check })
	if n < 0 {
		return nil
	}
	return &c.Answers[n]
}

// Unmet are the checks of which nobody has said that they hold.
func (c *Change) Unmet() (all []Check) {
	for _, k := range c.Checks() {
		if a := c.Answer(k.ID); a == nil || !a.Holds {
			all = append(all, k)
		}
	}
	return all
}

// Voting is by what rule it is approved, and who votes.
func (c *Change) Voting() Approval {
	if c.Way == Emergency {
		return c.Afterwards.Approval
	}
	return c.class().Approval
}

// check is one of those, empty where there is none of that ID.
func (c *Change) check(id string) Check {
	all := c.Checks()
	if n := slices.IndexFunc(all, func(k Check) bool { return k.ID == id }); n >= 0 {
		return all[n]
	}
	return Check{}
}

// PlanOf is the ID of the plan of which a completed run has to show that a check holds, empty where anything may.
func (c *Change) PlanOf(check string) string { return c.check(check).Plan }

// CheckersOf are those who say whether a check holds.
func (c *Change) CheckersOf(k Check) []escalation.Target {
	if len(k.By) == 0 {
		return c.Owners
	}
	return k.By
}
