package console_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/authority"
	"muster/internal/changecalendar"
	"muster/starter"
)

// calendar has a change that may begin at any time until a launch in the freeze, the launch, the freeze that goes on already, a check at night, and what
// a provider has announced. Of these a customer may see the last two only.
func (y *yard) calendar(_ context.Context, by authority.Subject, from, until time.Time) ([]changecalendar.Entry, bool, error) {
	if y.away != nil {
		return nil, false, y.away
	}
	now, garam := y.now(), []string{"garam"}
	production := []string{"garam/production"}
	all := []changecalendar.Entry{
		{Kind: changecalendar.Change, ID: "CHG-7K3M9QX2PA", Title: `Enlarge the <pool>`, Status: "approved", Customers: garam, Services: []string{"garam-shop"}, Environments: production, Until: now.AddDate(0, 0, 6)},
		{Kind: changecalendar.Plan, ID: "RUN-7K3M9QX2PA", Title: "쇼핑몰 6.5", Date: "launch", Status: "running", Customers: garam, Environments: production, From: now.AddDate(0, 0, 5), Until: now.AddDate(0, 0, 5)},
		{Kind: changecalendar.Freeze, ID: "garam-year-end", Title: "연말 동결", Status: "Nobody is in", Customers: garam, Environments: production, From: now.AddDate(0, 0, -1), Until: now.AddDate(0, 0, 9)},
		{Kind: changecalendar.Routine, ID: "garam-preventive", Title: "월간 예방 점검", Status: "planned", Customers: garam, From: time.Date(2026, 12, 1, 15, 30, 0, 0, time.UTC), Until: time.Date(2026, 12, 8, 1, 0, 0, 0, time.UTC)},
		{Kind: changecalendar.Provider, ID: "RUN-2B4C6D8E0F", Title: "Retirement of TLS 1.0", Date: "retires", Status: "running", Customers: []string{"nuri"}, Services: []string{"nuri-erp"}, From: now.AddDate(0, 2, 0), Until: now.AddDate(0, 2, 1)},
	}
	if by.Kind != authority.Provider {
		all = all[3:]
	}
	return changecalendar.Between(all, from, until), by.Kind == authority.Provider, nil
}

// The page has days of whoever reads, whose order is that of the calendar, and each filter leaves less on it.
func TestTheChangeCalendar(t *testing.T) {
	p := newPlace(t)
	titles := []string{"Enlarge the &lt;pool&gt;", "쇼핑몰 6.5", "연말 동결", "월간 예방 점검", "Retirement of TLS 1.0"}
	for query, want := range map[string][]int{
		"":                            {0, 1, 2, 3, 4},
		"&days=30":                    {0, 1, 2, 3},
		"&from=2026-12-06":            {3, 4},
		"&kind=routine":               {3},
		"&customer=nuri":              {4},
		"&text=YEAR-END":              {0, 1, 2}, // with what it meets
		"&kind=plan&customer=nuri":    {},
		"&from=2026-12-20&days=30":    {},
		"&meeting=1&kind=change":      {0, 1, 2}, // with what it meets
		"&days=9999&from=2026-12-20":  {4},
		"&customer=garam&text=%E6%A0": {},
	} {
		w := p.get("/change-calendar?lang=en"+query, p.signIn()...)
		body := w.Body.String()
		var got []int
		for n, title := range titles {
			if strings.Contains(body, title) {
				got = append(got, n)
			}
		}
		if w.Code != http.StatusOK || !slices.Equal(got, want) && len(got)+len(want) > 0 {
			t.Errorf("%s: %d, shows %v; want %v", query, w.Code, got, want)
		}
	}
	// Half past midnight in Seoul is the day before in UTC.
	if body := p.get("/change-calendar?lang=en", p.signIn()...).Body.String(); !strings.Contains(body, "<h2>2026-12-02 Wed</h2>") || strings.Contains(body, "<h2>2026-12-01 Tue</h2>") {
		t.Error("the check at half past midnight does not stand under its day")
	}
	// In another language the same is asked for.
	if body := p.get("/change-calendar?lang=en&text=shop&meeting=1", p.signIn()...).Body.String(); !strings.Contains(body, `/change-calendar?lang=ko&amp;meeting=1&amp;text=shop`) {
		t.Error("the other language forgets what was asked for")
	}
	theirs := p.get("/change-calendar?lang=en", p.signIn(as("garam/it-desk"))...).Body.String()
	if strings.Contains(theirs, `name="customer"`) || strings.Contains(theirs, titles[0]) || !strings.Contains(theirs, titles[4]) {
		t.Errorf("a customer is shown\n%s", theirs)
	}
	if w := p.get("/change-calendar"); w.Code != http.StatusSeeOther {
		t.Errorf("who is not signed in: %d; want to be asked to", w.Code)
	}
	p.yard.away = &starter.UnavailableError{Cause: context.DeadlineExceeded}
	if w := p.get("/change-calendar", p.signIn()...); w.Code != http.StatusServiceUnavailable {
		t.Errorf("while nobody answers: %d", w.Code)
	}
}
