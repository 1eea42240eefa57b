package cli_test

import (
	"slices"

	"muster/internal/asset"
	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/org"
)

// Assets are a database of acme whose alerts are known, with two deadlines of which one is over, and a firewall of nuri.
func (people) Assets() []asset.Asset {
	day := func(s string) calendar.Date {
		d, err := calendar.ParseDate(s)
		if err != nil {
			panic(err)
		}
		return d
	}
	return []asset.Asset{
		{
			ID: "orders", Name: "주문 데이터베이스", Kind: "database", Customer: asset.Named{ID: "acme", Name: "Acme"}, Environment: asset.Named{ID: "production", Name: "운영"},
			Services: []asset.Named{{ID: "checkout", Name: "Checkout"}}, Tags: []asset.Tag{{Key: "tier", Value: "data"}, {Key: "site", Value: "seoul-1"}},
			Product: "PostgreSQL", Version: "16.4", Owner: &asset.Owner{Target: escalation.Target{Kind: escalation.Group, ID: "noc"}, Name: "관제"},
			Alerts: []asset.Tag{{Key: "job", Value: "checkout"}},
			Deadlines: []asset.Deadline{
				{What: "certificate", Name: "Certificate", On: day("2026-11-20")},
				{What: "support-ends", Name: "PostgreSQL 16 leaves support", On: day("2028-11-09"), Lead: 180, Plan: "scheduled-review", Routine: "daily"},
			},
		},
		{
			ID: "wall", Name: "Firewall", Kind: "firewall", Customer: asset.Named{ID: "nuri", Name: "Nuri Trading"}, Environment: asset.Named{ID: "production", Name: "Production"},
			Services: []asset.Named{{ID: "search", Name: "Search"}}, Product: "PostgreSQL", Version: "15.2", Vendor: &asset.Named{ID: "skyhost", Name: "SkyHost"},
		},
	}
}

func (all people) Asset(id string) (asset.Asset, bool) {
	assets := all.Assets()
	n := slices.IndexFunc(assets, func(a asset.Asset) bool { return a.ID == id })
	if n < 0 {
		return asset.Asset{}, false
	}
	return assets[n], true
}

func (people) AssetOf(routine string) string {
	if routine == "daily" {
		return "orders"
	}
	return ""
}

func (people) RoutinesIn(customer, _ string) []string {
	if customer == "acme" {
		return []string{"daily", "quarterly"}
	}
	return nil
}

// Concerned starts a plan for acme, and none for anybody else.
func (all people) Concerned(n asset.Notice) (found []org.Concerned) {
	for _, a := range all.Assets() {
		if n.Concerns(&a) {
			found = append(found, org.Concerned{Customer: a.Customer, Assets: []string{a.ID}, Start: org.PlanStart{Plan: "shop", Customer: a.Customer.ID, Environments: map[string]string{"staging": "staging", "production": "production"}}})
		}
	}
	return found
}

func (people) VendorID(said string) string { return said }
