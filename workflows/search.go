package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/internal/incident"
)

// Search attributes: what lists filter by. No personal data stands in them, for they are never encrypted.
var (
	IDAttribute        = temporal.NewSearchAttributeKeyKeyword("MusterId")
	StatusAttribute    = temporal.NewSearchAttributeKeyKeyword("MusterStatus")
	PriorityAttribute  = temporal.NewSearchAttributeKeyInt64("MusterPriority")
	ServiceAttribute   = temporal.NewSearchAttributeKeyKeyword("MusterService")
	CustomersAttribute = temporal.NewSearchAttributeKeyKeywordList("MusterCustomers")
	NextDueAttribute   = temporal.NewSearchAttributeKeyTime("MusterNextDue")
)

// SearchAttributes lists the search attributes that a namespace must know.
func SearchAttributes() []temporal.SearchAttributeKey {
	return []temporal.SearchAttributeKey{
		IDAttribute, StatusAttribute, PriorityAttribute, ServiceAttribute, CustomersAttribute, NextDueAttribute,
	}
}

// published is what lists know of an incident.
type published struct {
	status   incident.Status
	priority int64
	nextDue  time.Time
}

// publish tells visibility what has changed since it was last told, in one event.
func (r *incidentRun) publish(ctx workflow.Context) error {
	is := published{status: r.incident.Status, priority: int64(r.incident.Priority), nextDue: r.incident.NextDue()}
	if is == r.published {
		return nil
	}
	var updates []temporal.SearchAttributeUpdate
	if r.published.status == "" {
		def := r.incident.Definition
		customers := make([]string, len(def.Customers))
		for n, c := range def.Customers {
			customers[n] = c.ID
		}
		updates = append(updates, IDAttribute.ValueSet(string(r.incident.ID)), ServiceAttribute.ValueSet(def.Service.ID))
		if len(customers) > 0 {
			updates = append(updates, CustomersAttribute.ValueSet(customers))
		}
	}
	if is.status != r.published.status {
		updates = append(updates, StatusAttribute.ValueSet(string(is.status)))
	}
	if is.priority != r.published.priority {
		updates = append(updates, PriorityAttribute.ValueSet(is.priority))
	}
	if !is.nextDue.Equal(r.published.nextDue) {
		if is.nextDue.IsZero() {
			updates = append(updates, NextDueAttribute.ValueUnset())
		} else {
			updates = append(updates, NextDueAttribute.ValueSet(is.nextDue))
		}
	}
	r.published = is
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}
