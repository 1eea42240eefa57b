package servicenow_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"muster/internal/contract"
	"muster/internal/delivery"
	"muster/internal/outbound"
	"muster/internal/servicenow"
)

// desk is an instance with one table, as the documentation of the Table API tells it: fields that nobody knows or may write are left
// out without a word, a data policy wants close code and notes, and every value is a text.
type desk struct {
	table   string
	auth    string
	denied  []string // fields that the user may not write
	stuck   bool     // a rule puts the state back
	records []map[string]string
	journal map[string][]string // by record
}

func say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func failed(w http.ResponseWriter, status int, message, detail string) {
	say(w, status, map[string]any{"error": map[string]string{"message": message, "detail": detail}, "status": "failure"})
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, ok := strings.CutPrefix(r.URL.Path, "/api/now/table/"+d.table)
	if r.Header.Get("Authorization") != d.auth || !ok {
		failed(w, 401, "User Not Authenticated", "Required to provide Auth information")
		return
	}
	switch {
	case r.Method == http.MethodGet && id == "":
		all := []any{}
		for _, x := range d.records {
			if r.URL.Query().Get("sysparm_query") == "correlation_id="+x["correlation_id"]+"^ORDERBYsys_created_on" {
				all = append(all, only(r, x))
			}
		}
		say(w, 200, map[string]any{"result": all[:min(1, len(all))]})
	case r.Method == http.MethodPost && id == "":
		n := len(d.records) + 1
		x := map[string]string{"sys_id": fmt.Sprintf("%032x", n), "number": fmt.Sprintf("INC%07d", n), "state": map[bool]string{true: "1", false: "-5"}[d.table == "incident"]}
		if d.change(w, r, x) {
			d.records = append(d.records, x)
			say(w, 201, map[string]any{"result": only(r, x)})
		}
	default:
		for _, x := range d.records {
			if id == "/"+x["sys_id"] && (r.Method == http.MethodGet || r.Method == http.MethodPatch && d.change(w, r, x)) {
				say(w, 200, map[string]any{"result": only(r, x)})
				return
			} else if id == "/"+x["sys_id"] {
				return
			}
		}
		failed(w, 404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
	}
}

// only are the fields that were asked for.
func only(r *http.Request, x map[string]string) map[string]string {
	out := map[string]string{}
	for _, f := range strings.Split(r.URL.Query().Get("sysparm_fields"), ",") {
		out[f] = x[f]
	}
	return out
}

func (d *desk) change(w http.ResponseWriter, r *http.Request, x map[string]string) bool {
	var in map[string]string
	_ = json.NewDecoder(r.Body).Decode(&in)
	if s := in["state"]; (s == "6" || s == "7") && (in["close_code"] == "" || in["close_notes"] == "") {
		failed(w, 403, "Operation Failed", "Data Policy Exception: The following fields are mandatory: Close code, Close notes")
		return false
	}
	for _, f := range d.denied {
		delete(in, f)
	}
	if d.stuck {
		delete(in, "state")
	}
	for _, f := range []string{"work_notes", "comments"} {
		if in[f] != "" {
			d.journal[x["sys_id"]] = append(d.journal[x["sys_id"]], f+": "+in[f])
		}
		delete(in, f)
	}
	for k, v := range in {
		x[k] = v
	}
	return true
}

func (d *desk) Shown() (all []contract.Shown) {
	for _, x := range d.records {
		all = append(all, contract.Shown{
			ID: x["sys_id"], Title: x["short_description"], Text: x["description"], State: x["state"], Priority: x["impact"] + "/" + x["urgency"],
			Comments: d.journal[x["sys_id"]],
		})
	}
	return all
}

func fresh(table string) *desk {
	return &desk{
		table: table, auth: "Basic " + base64.StdEncoding.EncodeToString([]byte("muster:"+contract.Secret)), journal: map[string][]string{},
	}
}

func table(url, name string, guard outbound.Guard, timeout time.Duration) *servicenow.Table {
	return &servicenow.Table{
		Guard: guard, Timeout: timeout, URL: url, User: "muster", Token: contract.Secret, Name: name, Journal: "work_notes",
		States: servicenow.States(name), Priorities: servicenow.Priorities(), CloseCode: "Solution provided",
	}
}

func TestContract(t *testing.T) {
	for name, states := range map[string]map[string]string{
		servicenow.Incidents: {"triggered": "1", "acknowledged": "2", "resolved": "6", "closed": "7"},
		servicenow.Changes:   {"triggered": "-5", "acknowledged": "-5", "resolved": "-5", "closed": "-5"},
	} {
		t.Run(name, func(t *testing.T) {
			contract.Contract{
				Desk: func() contract.Desk { return fresh(name) },
				System: func(url string, guard outbound.Guard, timeout time.Duration) contract.System {
					return table(url, name, guard, timeout)
				},
				States: states, Again: map[string]string{servicenow.Incidents: "2"}[name], Sample: strings.Repeat("0", 32), High: "1/1", Low: "2/2",
			}.Run(t)
		})
	}
}

func serve(t *testing.T, d *desk) *servicenow.Table {
	t.Helper()
	srv := httptest.NewServer(d)
	t.Cleanup(srv.Close)
	return table(srv.URL, d.table, outbound.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, time.Second)
}

func TestWhatIsMandatory(t *testing.T) {
	d := fresh(servicenow.Incidents)
	s := serve(t, d)
	s.Fields = map[string]any{"assignment_group": "Network", "short_description": "not this"}
	ref, err := s.Open(t.Context(), contract.Revision(1, "triggered", "P3"))
	if err != nil {
		t.Fatal(err)
	}
	s.Journal = "comments"
	if err := s.Update(t.Context(), ref, contract.Revision(2, "merged", "P3")); err != nil {
		t.Fatal(err)
	}
	x := d.records[0]
	if x["assignment_group"] != "Network" || x["close_code"] != "Solution provided" || !strings.Contains(x["close_notes"], "merged, P3") ||
		x["correlation_id"] != "INC-7K3M9QX2PA" || !strings.HasPrefix(x["short_description"], "[P3]") {
		t.Errorf("got %v", x)
	}
	if got := d.journal[ref.ID]; len(got) != 1 || got[0] != "comments: merged, P3" {
		t.Errorf("journal %q", got)
	}
	s.CloseCode = ""
	for _, next := range []string{"triggered", "resolved"} {
		err = s.Update(t.Context(), ref, contract.Revision(map[string]int{"triggered": 3, "resolved": 4}[next], next, "P3"))
	}
	if !delivery.IsRefusal(err) || !strings.Contains(err.Error(), "Data Policy Exception") {
		t.Errorf("without a close code: got %v", err)
	}
}

func TestWhatAUserMayNot(t *testing.T) {
	for _, field := range []string{"correlation_id", "correlation_display"} {
		d := fresh(servicenow.Incidents)
		d.denied = []string{field}
		if _, err := serve(t, d).Open(t.Context(), contract.Revision(1, "triggered", "P3")); err == nil || !strings.Contains(err.Error(), "may not write") || !delivery.IsRefusal(err) {
			t.Errorf("%s: got %v", field, err)
		}
	}
	d := fresh(servicenow.Incidents)
	d.stuck = true
	s := serve(t, d)
	ref, err := s.Open(t.Context(), contract.Revision(1, "triggered", "P3"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), ref, contract.Revision(2, "resolved", "P3")); !delivery.IsRefusal(err) || !strings.Contains(err.Error(), "INC0000001 stays in state 1, and does not go to 6") {
		t.Errorf("got %v", err)
	}
}

func TestABearerToken(t *testing.T) {
	d := fresh(servicenow.Incidents)
	d.auth = "Bearer " + contract.Secret
	s := serve(t, d)
	s.User = ""
	if _, err := s.Open(t.Context(), contract.Revision(1, "triggered", "P3")); err != nil {
		t.Error(err)
	}
	s.Name = "sys_user"
	if _, err := s.Open(t.Context(), contract.Revision(1, "triggered", "P3")); !delivery.IsRefusal(err) {
		t.Errorf("got %v", err)
	}
}
