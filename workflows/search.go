package workflows

import (
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
)

// Search attributes: what lists filter by. No personal data stands in them, for they are never encrypted.
var (
	IDAttribute        = temporal.NewSearchAttributeKeyKeyword("MusterId")
	StatusAttribute    = temporal.NewSearchAttributeKeyKeyword("MusterStatus")
	PriorityAttribute  = temporal.NewSearchAttributeKeyInt64("MusterPriority")
	ServiceAttribute   = temporal.NewSearchAttributeKeyKeyword("MusterService")
	CustomersAttribute = temporal.NewSearchAttributeKeyKeywordList("MusterCustomers")
	NextDueAttribute   = temporal.NewSearchAttributeKeyTime("MusterNextDue")
	KindAttribute      = temporal.NewSearchAttributeKeyKeyword("MusterKind") // of an incident, none of an ordinary one; of an action item
)

// SearchAttributes lists the search attributes that a namespace must know.
func SearchAttributes() []temporal.SearchAttributeKey {
	return []temporal.SearchAttributeKey{
		IDAttribute, StatusAttribute, PriorityAttribute, ServiceAttribute, CustomersAttribute, NextDueAttribute, KindAttribute,
	}
}

// OpeningAttributes are the search attributes of an incident that is being opened, so that lists know it however long its
// first task waits. It is due when its first page has had no answer.
func OpeningAttributes(id incident.ID, def incident.Definition, p priority.Priority, now time.Time) temporal.SearchAttributes {
	updates := []temporal.SearchAttributeUpdate{
		IDAttribute.ValueSet(string(id)), ServiceAttribute.ValueSet(def.Service.ID),
		StatusAttribute.ValueSet(string(incident.Triggered)), PriorityAttribute.ValueSet(int64(p)),
		NextDueAttribute.ValueSet(now.Add(def.Policy.Rung(def.Policy.Variant(escalation.At(p)), 1).Wait)),
	}
	if customers := listed(def.Customers); len(customers) > 0 {
		updates = append(updates, CustomersAttribute.ValueSet(customers))
	}
	if def.Kind != "" {
		updates = append(updates, KindAttribute.ValueSet(string(def.Kind)))
	}
	return temporal.NewSearchAttributes(updates...)
}

// listed are the ids of as many customers as Temporal takes in one search attribute, 2,048 bytes of JSON. Lists filter by
// them; the state has all.
func listed(all []incident.Customer) (ids []string) {
	const most = 2_000
	size := len("[]")
	for _, c := range all {
		if size += len(c.ID) + len(`"",`); size > most {
			break
		}
		ids = append(ids, c.ID)
	}
	return ids
}

// published is what lists know of a run that changes.
type published struct {
	status   string
	priority int64
	nextDue  time.Time
	// customers are IDs, joined. They count where somebody has come or gone.
	customers string
	regrouped bool
	kind      string // empty: it stays as it is
}

// known is what lists know when a run begins.
func known(ctx workflow.Context) published {
	is := workflow.GetTypedSearchAttributes(ctx)
	status, _ := is.GetKeyword(StatusAttribute)
	priority, _ := is.GetInt64(PriorityAttribute)
	nextDue, _ := is.GetTime(NextDueAttribute)
	customers, _ := is.GetKeywordList(CustomersAttribute)
	kind, _ := is.GetKeyword(KindAttribute)
	return published{status: status, priority: priority, nextDue: nextDue, customers: strings.Join(customers, ","), kind: kind}
}

func (r *incidentRun) publish(ctx workflow.Context) error {
	i := r.incident
	is := published{status: string(i.Status), priority: int64(i.Priority), nextDue: i.NextDue()}
	if is.regrouped = i.Adopted; is.regrouped {
		is.customers = strings.Join(listed(i.Definition.Customers), ",")
	}
	return r.published.change(ctx, is)
}

// change tells visibility what has changed since it was last told, in one event. What is due within the same second is due
// at the same time.
func (p *published) change(ctx workflow.Context, is published) error {
	if is.nextDue.Sub(p.nextDue).Abs() < time.Second {
		is.nextDue = p.nextDue
	}
	if !is.regrouped {
		is.customers = p.customers
	}
	if is.kind == "" {
		is.kind = p.kind
	}
	p.regrouped = is.regrouped
	if is == *p {
		return nil
	}
	var updates []temporal.SearchAttributeUpdate
	if is.status != p.status {
		updates = append(updates, StatusAttribute.ValueSet(is.status))
	}
	if is.priority != p.priority {
		updates = append(updates, PriorityAttribute.ValueSet(is.priority))
	}
	if !is.nextDue.Equal(p.nextDue) {
		if is.nextDue.IsZero() {
			updates = append(updates, NextDueAttribute.ValueUnset())
		} else {
			updates = append(updates, NextDueAttribute.ValueSet(is.nextDue))
		}
	}
	switch { // the ID of a customer has no comma
	case is.customers == p.customers:
	case is.customers == "":
		updates = append(updates, CustomersAttribute.ValueUnset())
	default:
		updates = append(updates, CustomersAttribute.ValueSet(strings.Split(is.customers, ",")))
	}
	if is.kind != p.kind {
		updates = append(updates, KindAttribute.ValueSet(is.kind))
	}
	*p = is
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}
