package ingest_test

import (
	"os"
	"strings"
	"testing"
)

func azureFixture(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/azure/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Whatever Azure calls the one that ends an alert, it ends the one that began it.
func TestAzureEndsWhatItBegan(t *testing.T) {
	for _, tc := range [][2]string{
		{"metric-fired", "metric-resolved"}, {"service-issue", "service-issue-over"}, {"resource-health", "resource-health-over"},
	} {
		e := newEngine()
		wantEnded(t, intake(t, e), e, "/v1/alerts/azure", "azure/"+tc[0], "azure/"+tc[1])
	}
}

// Maintenance that Azure announces is no incident.
func TestMaintenanceOpensNoIncident(t *testing.T) {
	e := newEngine()
	in := intake(t, e)
	for _, kind := range []string{"Maintenance", "Informational"} {
		body := strings.Replace(azureFixture(t, "maintenance"), "Maintenance", kind, 1)
		if w := serve(in, to(t, "/v1/alerts/azure", body)); w.Code != 200 || w.Body.String() != `{"status":"accepted","alerts":0,"commits":0}`+"\n" {
			t.Errorf("%s: got %d %s", kind, w.Code, w.Body)
		}
	}
	for _, kind := range []string{"Security", "ActionRequired"} {
		body := strings.Replace(azureFixture(t, "maintenance"), "Maintenance", kind, 1)
		serve(in, to(t, "/v1/alerts/azure", body))
	}
	if len(e.seen()) != 2 {
		t.Errorf("got %d commits, want those of the security advisory and of what asks for action", len(e.seen()))
	}
}

func TestWhatAzureIsRefused(t *testing.T) {
	good := azureFixture(t, "metric-fired")
	change := func(old, now string) string { return strings.Replace(good, old, now, 1) }
	for _, tc := range []struct{ name, body, field, detail string }{
		{"another schema", change("azureMonitorCommonAlertSchema", "AzureMonitorMetricAlert"), "schemaId", `want "azureMonitorCommonAlertSchema", which is a switch of the action group; got "AzureMonitorMetricAlert"`},
		{"no schema", `{"status":"Activated","context":{}}`, "schemaId", `got ""`},
		{"an array", `[]`, "body", "want an object, got an array"},
		{"no data", `{"schemaId":"azureMonitorCommonAlertSchema"}`, "data.essentials.alertId", "want the ID of an alert, got none"},
		{"data as text", `{"schemaId":"azureMonitorCommonAlertSchema","data":"x"}`, "data", "want an object, got a string"},
		{"another condition", change(`"Fired"`, `"Acknowledged"`), "data.essentials.monitorCondition", `want "Fired" or "Resolved", got "Acknowledged"`},
		{"no instant", change("2026-11-22T09:58:24.3713213Z", "yesterday"), "data.essentials.firedDateTime", `got "yesterday"`},
		{"targets", change(`["till-3"]`, `"till-3"`), "data.essentials.configurationItems", "want an array, got a string"},
		{"a target", change(`["till-3"]`, `[3]`), "data.essentials.configurationItems[0]", "want a string, got a number"},
		{"a dimension", change(`{"name":"core","value":"2"}`, `{"name":2}`), "data.alertContext.condition.allOf[0].dimensions[0].name", "want a string, got a number"},
	} {
		e := newEngine()
		p := refused(t, serve(intake(t, e), to(t, "/v1/alerts/azure", tc.body)))
		if p.Field != tc.field || !strings.Contains(p.Detail, tc.detail) || p.Status != 400 || len(e.seen()) > 0 {
			t.Errorf("%s: got %d %s: %s; want %s: …%s…", tc.name, p.Status, p.Field, p.Detail, tc.field, tc.detail)
		}
	}
}
