package api_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/asset"
	"muster/internal/org"
	"muster/internal/planrun"
	"muster/starter/api"
)

const noticeBody = `{"vendor":"PostgreSQL","reference":"CVE-2026-1","kind":"patch","product":"PostgreSQL","versions":["<16.5"],"title":"A hole","by":"2026-12-31"}`

// Concerned starts the small plan, which nobody can for another customer than acme.
func (all people) Concerned(n asset.Notice) (found []org.Concerned) {
	for _, a := range all.Assets() {
		if n.Concerns(&a) {
			found = append(found, org.Concerned{
				Customer: a.Customer, Assets: []string{a.ID},
				Start: org.PlanStart{Plan: "small", Customer: a.Customer.ID, Environments: map[string]string{"production": "prod"}},
			})
		}
	}
	return found
}

func (people) VendorID(said string) string { return strings.ToLower(said) }

func hole() api.NewVendorNotice {
	return api.NewVendorNotice{
		Vendor: "PostgreSQL", Reference: "CVE-2026-1", Kind: asset.Patch, Product: "PostgreSQL", Versions: []string{"<16.5"}, Title: "A hole", By: "2026-12-31",
	}
}

// A notice is one run for each customer, whoever says it how often, and what keeps one of them keeps no other.
func TestAVendorsNoticeIsOneRunForEachCustomer(t *testing.T) {
	p := newPlace(t)
	p.onePage = true
	c := newClient(t, p)
	before := len(p.planRuns)
	got, err := c.Notice(t.Context(), hole(), "k1")
	if err != nil || len(got.Customers) != 2 || len(p.planRuns) != before+1 {
		t.Fatalf("got %+v, %v; runs %d", got, err, len(p.planRuns))
	}
	run := got.Customers[0].Run
	want := api.VendorNoticeReceipt{Vendor: "postgresql", Reference: "CVE-2026-1", Customers: []api.NoticedCustomer{
		{ID: "acme", Name: "Acme", Assets: []string{"db"}, Run: run},
		{ID: "globex", Name: "Globex", Assets: []string{"wall"}, Fault: "start plan: customers.yaml: no such customer"},
	}}
	if d := cmp.Diff(want, got); d != "" || run == "" {
		t.Error(d)
	}
	begun := p.planRuns[run]
	if begun.Notice == nil || begun.Notice.Source != "vendor/postgresql" || begun.Notice.ID != "CVE-2026-1" || begun.Starter != p.people["park"].Actor {
		t.Errorf("got %+v by %+v", begun.Notice, begun.Starter)
	}
	// Somebody else says it in other words.
	again := hole()
	again.Vendor, again.Title, again.Reference = "POSTGRESQL", "The hole", " CVE-2026-1 "
	var receipt api.VendorNoticeReceipt
	if code, said := p.asks(t, "kim", "POST", "/api/v1/vendor-notices", strings.ReplaceAll(noticeBody, `"PostgreSQL","reference"`, `"POSTGRESQL","reference"`), &receipt); code != 200 || receipt.Customers[0].Run != run {
		t.Errorf("said by another person: %d %s", code, said)
	}
	if got, err = c.Notice(t.Context(), again, "k2"); err != nil || got.Customers[0].Run != run || len(p.planRuns) != before+1 {
		t.Errorf("said again: %+v, %v", got, err)
	}
	// It is older than what anybody has.
	none := hole()
	none.Reference, none.Versions = "CVE-2026-2", []string{"<12"}
	if got, err = c.Notice(t.Context(), none, "k3"); err != nil || len(got.Customers) != 0 || got.Customers == nil {
		t.Errorf("of what nobody has: %+v, %v", got, err)
	}

	// It stands in the history of the asset, and in none of another one, wherever its run is.
	begun.Parameters = append(begun.Parameters, planrun.Value{ID: "assets", List: []string{"db"}})
	begun.Environments[len(begun.Environments)-1].Environment = "elsewhere"
	shown, err := c.Asset(t.Context(), "db")
	if err != nil || !strings.Contains(strings.Join(past(shown), "\n"), "vendor "+string(run)+" running named") {
		t.Errorf("its history: %v, %v", past(shown), err)
	}
	begun.Parameters[len(begun.Parameters)-1].List = []string{"other"}
	begun.Environments[len(begun.Environments)-1].Environment = "prod"
	if shown, err = c.Asset(t.Context(), "db"); err != nil || strings.Contains(strings.Join(past(shown), "\n"), string(run)) {
		t.Errorf("what is about another asset: %v, %v", past(shown), err)
	}
}

func TestWhatIsWrongWithANotice(t *testing.T) {
	p := newPlace(t)
	for from, tt := range map[string]struct{ to, want string }{
		`"kind":"patch"`:           {`"kind":"news"`, "want bug, patch or end-of-support"},
		`"<16.5"`:                  {`">= 16"`, "want a version such as 16.4, or bounds such as"},
		`"by":"2026-12-31"`:        {`"by":"tomorrow"`, "want a day such as 2026-12-31"},
		`"2026-12-31"`:             {`"2026-11-22"`, "2026-11-22; want a day that is to come"},
		`"title":"A hole"`:         {`"title":""`, "missing"},
		`"vendor":"PostgreSQL",`:   {``, "vendor"},
		`"title":"A hole",`:        {`"title":"A hole","url":"ftp://x",`, "want a URL that begins with https:// or http://"},
		`"reference":"CVE-2026-1"`: {`"reference":"CVE-2026-1","severity":"bad"`, "want critical, high, medium or low"},
	} {
		if code, said := p.asks(t, "park", "POST", "/api/v1/vendor-notices", strings.Replace(noticeBody, from, tt.to, 1), nil); code != 422 || !strings.Contains(said, tt.want) {
			t.Errorf("%s: got %d %s, want %s", tt.to, code, said, tt.want)
		}
	}
}
