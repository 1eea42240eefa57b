package api_test

import (
	"bytes"
	"context"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"muster/internal/action"
	"muster/internal/alert"
	"muster/internal/approval"
	"muster/internal/asset"
	"muster/internal/authority"
	"muster/internal/calendar"
	"muster/internal/change"
	"muster/internal/changecalendar"
	"muster/internal/handover"
	"muster/internal/incident"
	"muster/internal/keyring"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/priority"
	"muster/internal/problem"
	"muster/internal/reach"
	"muster/internal/refusal"
	"muster/internal/request"
	"muster/internal/response"
	"muster/internal/review"
	"muster/internal/risk"
	"muster/internal/routine"
	"muster/internal/silence"
	"muster/internal/store"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/internal/visit"
	"muster/starter"
	"muster/starter/api"
)

// object is a JSON object.
type object = map[string]any

// document asks a server for the document.
func document(t testing.TB) object {
	t.Helper()
	w := newPlace(t).ask("GET", "/api/v1/openapi.json", "", "Authorization", "")
	doc, err := jsonschema.UnmarshalJSON(w.Body)
	if err != nil || w.Code != 200 {
		t.Fatalf("got %d, %v", w.Code, err)
	}
	return doc.(object)
}

// under goes down by keys.
func under(tree any, keys ...string) any {
	for _, key := range keys {
		o, _ := tree.(object)
		tree = o[key]
	}
	return tree
}

// whole follows a reference.
func whole(doc object, v any) (any, string) {
	ref, ok := under(v, "$ref").(string)
	if !ok {
		return v, ""
	}
	keys := strings.Split(strings.TrimPrefix(ref, "#/"), "/")
	return under(doc, keys...), keys[len(keys)-1]
}

// An operation is one of the document.
type operation struct {
	method, path string
	doc          object
}

func (o operation) key() string { return o.method + " " + o.path }

func operations(doc object) []operation {
	var all []operation
	for _, path := range slices.Sorted(maps.Keys(doc["paths"].(object))) {
		for method, o := range under(doc, "paths", path).(object) {
			if method != "parameters" {
				all = append(all, operation{strings.ToUpper(method), path, o.(object)})
			}
		}
	}
	return all
}

// open are the operations that need no token. They are no routes of those who have one.
func openOperations() []string {
	return []string{"GET /api/docs", "GET /api/v1/openapi.json", "GET /api/v1/version"}
}

func texts(v any) []string {
	all := []string{}
	list, _ := v.([]any)
	for _, s := range list {
		all = append(all, fmt.Sprint(s))
	}
	return all
}

func TestTheDocumentHasEveryRouteAndNoOther(t *testing.T) {
	var got []string
	for _, o := range operations(document(t)) {
		got = append(got, o.key())
	}
	want := append(api.Routes(), openOperations()...)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What the routes ask for by themselves is compared; what their handlers ask for stands here.
func TestTheDocumentSaysWhatACallerMustBeAllowed(t *testing.T) {
	own := []string{"manage-own-tokens", "manage-tokens"}
	byHandler := map[string][]string{
		"GET /api/v1/me": {}, "GET /api/v1/inbox": {}, "GET /api/v1/plan-runs": {"read"}, "GET /api/v1/incidents": {"read"}, "POST /api/v1/incidents": {"open"},
		"GET /api/v1/reviews": {"read"}, "GET /api/v1/requests": {"read"}, "POST /api/v1/requests": {"record"}, "GET /api/v1/changes": {"read"}, "GET /api/v1/assets": {"read"}, "GET /api/v1/change-calendar": {"read"}, "GET /api/v1/visits": {"read"}, "POST /api/v1/changes": {"open"},
		"GET /api/v1/silences": {"read"}, "POST /api/v1/silences": {"open"},
		"GET /api/v1/actions": {"read"}, "POST /api/v1/actions": {"open"}, "POST " + actionRoute + "/cancel": {"withdraw"},
		"GET /api/v1/contacts": {"read", "read-own"}, "POST /api/v1/codec/decode": {"read-history"}, "GET /api/v1/tokens": own, "POST /api/v1/tokens": own, "DELETE /api/v1/tokens/{id}": own,
	}
	doc, needs := document(t), api.Needs()
	for _, o := range operations(doc) {
		verbs, isOpen := texts(o.doc["x-verb"]), slices.Contains(openOperations(), o.key())
		if _, ok := o.doc["x-verb"].([]any); !ok {
			t.Errorf("%s: has no x-verb", o.key())
		}
		if security, says := o.doc["security"].([]any); says != isOpen || len(security) > 0 {
			t.Errorf("%s: got security %v, want [] where no token is needed and none elsewhere", o.key(), o.doc["security"])
		}
		need, ok := needs[o.key()]
		want := []string{string(need.Verb)}
		if !ok {
			want = append([]string{}, byHandler[o.key()]...)
		}
		if !slices.Equal(verbs, want) {
			t.Errorf("%s: got x-verb %q, want %q", o.key(), verbs, want)
		}
		kind, _ := o.doc["x-kind"].(string)
		known := slices.Contains(authority.Kinds(), authority.Kind(kind))
		if ok && kind != string(need.Kind) || len(want) > 0 && !known {
			t.Errorf("%s: got x-kind %q, want %q", o.key(), kind, need.Kind)
		}
	}
}

// walk visits every object of a tree. Examples hold values of other people's.
func walk(where string, tree any, visit func(where string, o object)) {
	switch v := tree.(type) {
	case object:
		visit(where, v)
		for key, value := range v {
			if key != "examples" && key != "example" {
				walk(where+"/"+key, value, visit)
			}
		}
	case []any:
		for n, value := range v {
			walk(where+"/"+strconv.Itoa(n), value, visit)
		}
	}
}

func hangul(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Hangul, r) })
}

func TestTheDocumentSaysEverythingInBothLanguages(t *testing.T) {
	doc := document(t)
	walk("", doc, func(where string, o object) {
		for key, beside := range map[string]string{
			"summary": "x-summary-ko", "description": "x-description-ko", "x-name": "x-name-ko",
		} {
			en, _ := o[key].(string)
			ko, _ := o[beside].(string)
			if (en == "") != (ko == "") || en != "" && (hangul(en) || !hangul(ko)) {
				t.Errorf("%s: %s: got %q and %q, want English and Korean", where, key, en, ko)
			}
		}
	})
	want := func(where string, v any, keys ...string) {
		for _, key := range keys {
			if s, _ := under(v, key).(string); s == "" {
				t.Errorf("%s: has no %s", where, key)
			}
		}
	}
	for _, o := range operations(doc) {
		want(o.key(), o.doc, "summary", "description", "operationId")
	}
	for _, tag := range doc["tags"].([]any) {
		want("tag", tag, "x-name", "description")
	}
	for kind, all := range doc["components"].(object) {
		for name, c := range all.(object) {
			want(kind+" "+name, c, "description")
			properties, _ := under(c, "properties").(object)
			for field, p := range properties {
				if _, named := whole(doc, p); named == "" {
					want(name+"."+field, p, "description")
				}
			}
		}
	}
}

func TestEveryReferenceResolvesAndEveryComponentIsUsed(t *testing.T) {
	doc := document(t)
	used := map[string]bool{"securitySchemes/bearer": true}
	walk("", doc, func(where string, o object) {
		ref, ok := o["$ref"].(string)
		if !ok {
			return
		}
		if there, _ := whole(doc, o); there == nil {
			t.Errorf("%s: %s is not there", where, ref)
		}
		name := strings.TrimPrefix(ref, "#/components/")
		if !strings.HasPrefix(where, "/components/"+name+"/") { // to refer to oneself is no use
			used[name] = true
		}
	})
	for kind, all := range doc["components"].(object) {
		for name := range all.(object) {
			if !used[kind+"/"+name] {
				t.Errorf("%s %s: not used", kind, name)
			}
		}
	}
	ids, tags := map[string]int{}, map[string]bool{}
	for _, tag := range doc["tags"].([]any) {
		tags[under(tag, "name").(string)] = true
	}
	for _, o := range operations(doc) {
		ids[o.doc["operationId"].(string)]++
		if all := texts(o.doc["tags"]); len(all) != 1 || !tags[all[0]] {
			t.Errorf("%s: tags %q, want one of the document", o.key(), all)
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("operationId %s: %d times", id, n)
		}
	}
}

// fields are those of a struct as JSON has them, with whether each is always there.
func fields(typ reflect.Type, visit func(name string, always bool, typ reflect.Type)) {
	for _, f := range reflect.VisibleFields(typ) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || f.Anonymous && name == "" || len(f.Index) > 1 && !typ.FieldByIndex(f.Index[:1]).Anonymous {
			continue
		}
		visit(name, !strings.Contains(options, "omit"), f.Type)
	}
}

// opaque are the schemas that tell nothing of their fields, and say so.
func opaque() []string {
	return []string{
		"OutboxItem", "HistoryRun", "Entitlement", "PlanDefinition", "PlanPinned", "PlanRunbook", "RunbookExecution", "FreezeRules", "FreezeReason", "VoteRule",
		"VoteRound", "VoteDemand", "ReviewRules", "ReviewRecord",
	}
}

// compare holds a schema against the type whose JSON it describes.
func compare(t *testing.T, doc object, where string, schema any, typ reflect.Type) {
	t.Helper()
	schema, name := whole(doc, schema)
	if slices.Contains(opaque(), name) {
		return
	}
	is, _ := under(schema, "type").(string)
	if both := texts(under(schema, "type")); len(both) == 2 && both[1] == "null" {
		is = both[0]
	}
	want := map[reflect.Kind]string{
		reflect.String: "string", reflect.Int: "integer", reflect.Int64: "integer", reflect.Bool: "boolean",
		reflect.Slice: "array", reflect.Map: "object", reflect.Struct: "object",
	}
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case typ == reflect.TypeFor[time.Time]():
		if is != "string" || under(schema, "format") != "date-time" {
			t.Errorf("%s: got %v, want an instant", where, schema)
		}
	case typ == reflect.TypeFor[time.Duration]() && name != "Duration":
		t.Errorf("%s: got %v, want a Duration", where, schema)
	case typ == reflect.TypeFor[[]byte]():
		if under(schema, "contentEncoding") != "base64" {
			t.Errorf("%s: got %v, want base64", where, schema)
		}
	case typ.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		if is != "string" {
			t.Errorf("%s: got type %q, want the text of %v", where, is, typ)
		}
	case is != want[typ.Kind()]:
		t.Errorf("%s: got type %q, want that of %v", where, is, typ)
	case typ.Kind() == reflect.Slice:
		compare(t, doc, where+"[]", under(schema, "items"), typ.Elem())
	case typ.Kind() == reflect.Struct:
		compareFields(t, doc, where, schema, typ)
	}
}

func compareFields(t *testing.T, doc object, where string, schema any, typ reflect.Type) {
	t.Helper()
	var always []string
	properties, _ := under(schema, "properties").(object)
	left := maps.Clone(properties)
	fields(typ, func(name string, required bool, of reflect.Type) {
		if required {
			always = append(always, name)
		}
		if properties[name] == nil {
			t.Errorf("%s: has no field %s", where, name)
			return
		}
		delete(left, name)
		compare(t, doc, where+"."+name, properties[name], of)
	})
	for name := range left {
		t.Errorf("%s: has a field %s, which %v has not", where, name, typ)
	}
	got := texts(under(schema, "required"))
	slices.Sort(got)
	slices.Sort(always)
	if !slices.Equal(got, always) {
		t.Errorf("%s: required: got %q, want %q", where, got, always)
	}
}

func TestSchemasHaveTheFieldsOfTheirTypes(t *testing.T) {
	doc := document(t)
	for name, value := range map[string]any{
		"AlertPage": api.AlertPage{}, "AttemptPage": api.Attempts{}, "Form": api.Form{}, "Incident": incident.Incident{}, "IncidentPage": api.Page{}, "OpenedIncident": api.Opened{},
		"Key": api.Key{}, "KeyList": api.KeyList{}, "Me": api.Me{}, "Refusal": refusal.Body{}, "Receipt": api.Receipt{},
		"Handover": handover.Handover{}, "HandoverReceipt": api.HandoverReceipt{}, "Request": request.Request{}, "RequestPage": api.RequestPage{},
		"RequestReceipt": api.RequestReceipt{}, "Action": action.Action{}, "ActionPage": api.ActionPage{}, "ActionReceipt": api.ActionReceipt{}, "EscalatedRisk": risk.Escalation{}, "EscalationPage": api.EscalationPage{}, "EscalationReceipt": api.EscalationReceipt{}, "ContactList": api.ContactList{}, "ContactTestReceipt": api.ContactTestReceipt{},
		"Silence": silence.Silence{}, "SilencePage": api.SilencePage{}, "SilenceReceipt": api.SilenceReceipt{},
		"ResponseList": api.ResponseList{}, "ResponseShown": api.ResponseShown{}, "ResponseReceipt": api.ResponseReceipt{},
		"AssetList": api.AssetList{}, "AssetShown": api.AssetShown{}, "VendorNoticeReceipt": api.VendorNoticeReceipt{},
		"RoutineList": api.RoutineList{}, "Routine": routine.Routine{}, "RoutineReceipt": api.RoutineReceipt{},
		"PlanRun": planrun.Run{}, "PlanRunPage": api.PlanRunPage{}, "PlanRunReceipt": api.PlanRunReceipt{},
		"Change": change.Change{}, "ChangePage": api.ChangePage{}, "ChangeReceipt": api.ChangeReceipt{}, "StandardChanges": api.StandardChanges{}, "ChangeCalendar": api.ChangeCalendar{}, "VisitList": api.VisitList{},
		"Problem": problem.Problem{}, "ProblemPage": api.ProblemPage{}, "ProblemReceipt": api.ProblemReceipt{},
		"Inbox": api.Inbox{}, "Review": review.Review{}, "ReviewPage": api.ReviewPage{}, "ReviewReceipt": api.ReviewReceipt{}, "Timeline": api.Timeline{}, "Token": api.Token{}, "TokenList": api.Tokens{}, "Version": api.Version{},
	} {
		compare(t, doc, name, under(doc, "components", "schemas", name), reflect.TypeOf(value))
	}
}

func words[T any](all ...T) []string {
	var out []string
	for _, one := range all {
		out = append(out, fmt.Sprint(one))
	}
	return out
}

func TestSchemasHaveTheValuesOfTheirTypes(t *testing.T) {
	doc := document(t)
	schema := func(keys ...string) any { return under(doc, append([]string{"components", "schemas"}, keys...)...) }
	for _, tt := range []struct {
		name   string
		schema any
		want   []string
	}{
		{"incident status", schema("IncidentStatus"), words(incident.Statuses()...)},
		{"incident role", schema("IncidentRole"), words(incident.Roles()...)},
		{"level", schema("Level"), words(priority.High, priority.Medium, priority.Low)},
		{"priority", schema("Priority"), []string{"1", "2", "3", "4", "5"}},
		{"target", schema("PromiseTarget"), words(supportplan.Targets()...)},
		{"target of a clock", schema("Clock", "properties", "target"), words(append(supportplan.Targets(), supportplan.Confirm)...)},
		{"channel", schema("NoticeChannel"), words(incident.Channels()...)},
		{"domain", schema("CauseDomain"), words(incident.CauseDomains()...)},
		{"answer", schema("FixAnswer"), words(incident.FixAnswers()...)},
		{"runbook", schema("RunbookOutcome"), words(incident.RunbookOutcomes()...)},
		{"relation", schema("RelationKind"), words(incident.RelationKinds()...)},
		{"pause", schema("PauseCause"), words(supportplan.Causes()...)},
		{"clock", schema("ClockState"), words(
			supportplan.Running, supportplan.Paused, supportplan.Met, supportplan.Missed, supportplan.Stopped,
		)},
		{"writer", schema("SupportPlan", "properties", "update_by"), words(supportplan.ByEngine, supportplan.ByPerson)},
		{"alert", schema("AlertState"), words(alert.Firing, alert.Resolved)},
		{"actor", schema("ActorKind"), words(timeline.Person, timeline.Source, timeline.Engine)},
		{"entry", schema("EntryKind"), words(timeline.Kinds()...)},
		{"party", schema("PartyKind"), words(authority.PartyKinds()...)},
		{"role", schema("Role"), words(authority.Roles()...)},
		{"verb", schema("Verb"), words(authority.Verbs()...)},
		{"review", schema("ReviewStatus"), words(review.Open, review.Closed)},
		{"hand-over", schema("HandoverStatus"), words(handover.Statuses()...)},
		{"request", schema("RequestStatus"), words(request.Statuses()...)},
		{"problem", schema("ProblemStatus"), words(problem.Statuses()...)},
		{"change", schema("ChangeStatus"), words(change.Statuses()...)},
		{"change kind", schema("ChangeKind"), words(change.Kinds()...)},
		{"change way", schema("ChangeWay"), words(change.Ways()...)},
		{"planned", schema("PlannedKind"), words(changecalendar.Kinds()...)},
		{"change in a list", schema("ChangeSummary", "properties", "way"), append(words(change.Ways()...), change.Unapproved)},
		{"end of a run", schema("Change", "properties", "how"), words(planrun.Endings()...)},
		{"exception", schema("Change", "properties", "exception"), words(change.TooLate, change.Refused)},
		{"sameness", schema("Sameness"), words(append(incident.Samenesses(), incident.SameHand, incident.SameNoise)...)},
		{"action item", schema("ActionStatus"), words(action.Statuses()...)},
		{"escalation", schema("EscalationStatus"), words(risk.Statuses()...)},
		{"silence", schema("SilenceStatus"), words(silence.Statuses()...)},
		{"notice", schema("NewVendorNotice", "properties", "kind"), words(asset.NoticeKinds()...)},
		{"severity", schema("NewVendorNotice", "properties", "severity"), words(asset.Severities()...)},
		{"event of an asset", schema("AssetEventKind"), words(asset.EventKinds()...)},
		{"routine", schema("RoutineStatus"), words(routine.Statuses()...)},
		{"visit", schema("VisitState"), words(visit.States()...)},
		{"fate", schema("RoutineFate"), words(routine.Fates()...)},
		{"outcome of a response", schema("ResponseOutcome"), words(response.Outcomes()...)},
		{"state of a response", schema("ResponseState"), words(incident.ResponseStates()...)},
		{"end of a silence", schema("SilenceWhy"), words(silence.Whys()...)},
		{"action item in a list", schema("ActionSummary", "properties", "status"), append(words(action.Statuses()...), action.Overdue)},
		{"contact result", schema("ContactResult"), words(reach.Results()...)},
		{"action kind", schema("ActionKind"), words(action.Kinds()...)},
		{"action origin", schema("ActionOriginKind"), words(action.OriginKinds()...)},
		{"proposal", schema("ActionProposalFor"), words(action.Shelves()...)},
		{"result", schema("ActionResult"), words(action.Results()...)},
		{"plan kind", schema("PlanKind"), words(plan.Kinds()...)},
		{"run", schema("PlanRunStatus"), words(planrun.Statuses()...)},
		{"task", schema("PlanTaskStatus"), words(planrun.TaskStatuses()...)},
		{"choice", schema("VoteChoice"), words(approval.Choices()...)},
		{"inbox kind", schema("InboxKind"), words(api.InboxKinds()...)},
		{"want", schema("InboxItem", "properties", "want"), api.InboxWants()},
		{"channel", schema("Channel"), words(supportplan.Channels()...)},
		{"period", schema("Quota", "properties", "per"), words(supportplan.Periods()...)},
		{"outcome", schema("Verdict", "properties", "outcome"), words(supportplan.Outcomes()...)},
		{"reason", schema("VerdictReason", "properties", "kind"), words(supportplan.ReasonKinds()...)},
		{"offer", schema("VerdictOffer", "properties", "kind"), words(supportplan.OfferKinds()...)},
		{"burden", schema("VerdictLimit", "properties", "customer"), words(supportplan.Burdens()...)},
		{"stage", schema("ReviewStage"), words(review.Stages()...)},
		{"section", schema("ReviewSection", "properties", "key"), words(review.Keys()...)},
		{"factor", schema("ReviewFactor", "properties", "kind"), words(review.FactorKinds()...)},
		{"notice", schema("ReviewDeadline", "properties", "told"), words(review.Soon, review.Late, review.Escalated)},
		{"phase", schema("Interval", "properties", "phase"), words(review.Phases()...)},
		{"token", schema("Token", "properties", "kind"), words(store.Person, store.Machine)},
		{"attempt", schema("Attempt", "properties", "kind"), words(
			store.AttemptToken, store.AttemptSession, store.AttemptLink, store.AttemptMessage, store.AttemptDenied, store.AttemptRate,
			store.AttemptLock, store.AttemptLogin, store.AttemptCallback,
		)},
	} {
		if got := texts(under(tt.schema, "enum")); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	for _, p := range priority.All() {
		if v, err := json.Marshal(p); err != nil || !slices.Contains(texts(under(schema("Priority"), "enum")), string(v)) {
			t.Errorf("priority %s is %s on the wire, which the document has not", p, v)
		}
	}
}

func TestRequestBodiesHaveTheFieldsThatAreRead(t *testing.T) {
	want := api.Commands()
	want["POST /api/v1/incidents"] = api.Body{Value: api.NewIncident{}}
	want["POST /api/v1/codec/decode"] = api.Body{Value: struct { // as Temporal's API defines it
		Payloads []any `json:"payloads"`
	}{}}
	want["POST /api/v1/tokens"] = api.Body{Value: api.NewToken{}}
	want["POST /api/v1/forms"] = api.Body{Value: api.NewForm{}}
	want["POST "+handoverRoute] = api.Body{Value: api.NewHandover{}}
	want["POST "+handoverRoute+"/confirm"] = api.Body{Value: handover.Confirm{}}
	want["POST "+handoverRoute+"/decline"] = api.Body{Value: handover.Decline{}}
	want["POST "+handoverRoute+"/note"] = api.Body{Value: handover.Note{}}
	want["POST /api/v1/plan-runs"] = api.Body{Value: api.NewPlanRun{}}
	want["POST /api/v1/requests"] = api.Body{Value: api.NewRequest{}}
	want["POST /api/v1/problems"] = api.Body{Value: api.NewProblem{}}
	want["POST "+problemRoute+"/link"] = api.Body{Value: api.ProblemLink{}}
	want["POST "+problemRoute+"/unlink"] = api.Body{Value: problem.UnlinkIncident{}}
	want["POST "+problemRoute+"/known-error"] = api.Body{Value: problem.SetKnownError{}}
	want["POST "+problemRoute+"/cause"] = api.Body{Value: problem.SetCause{}}
	want["POST "+problemRoute+"/fix"] = api.Body{Value: problem.SetFix{}}
	want["POST "+problemRoute+"/assign"] = api.Body{Value: api.ProblemAssignment{}}
	want["POST "+problemRoute+"/close"] = api.Body{Value: problem.Close{}}
	want["POST "+problemRoute+"/note"] = api.Body{Value: problem.Note{}}
	want["POST /api/v1/changes"] = api.Body{Value: api.NewChange{}}
	want["POST "+changeRoute+"/assess"] = api.Body{Value: api.ChangeAssessment{}}
	want["POST "+changeRoute+"/check"] = api.Body{Value: api.ChangeCheck{}}
	want["POST "+changeRoute+"/vote"] = api.Body{Value: api.ChangeVote{}}
	want["POST "+changeRoute+"/start"] = api.Body{Value: api.ChangeStart{}}
	want["POST "+changeRoute+"/done"] = api.Body{Value: api.ChangeDone{}}
	want["POST "+changeRoute+"/fail"] = api.Body{Value: api.ChangeFailure{}}
	want["POST "+changeRoute+"/move"] = api.Body{Value: api.ChangeMove{}}
	want["POST "+changeRoute+"/withdraw"] = api.Body{Value: api.ChangeWithdrawal{}}
	want["POST "+changeRoute+"/note"] = api.Body{Value: change.Note{}}
	want["POST /api/v1/contacts/test"] = api.Body{Value: api.NewContactTest{}}
	want["POST /api/v1/escalations"] = api.Body{Value: api.NewEscalation{}}
	want["POST "+escalationRoute+"/take"] = api.Body{Value: risk.Take{}}
	want["POST "+escalationRoute+"/answer"] = api.Body{Value: risk.Answer{}}
	want["POST "+escalationRoute+"/in-hand"] = api.Body{Value: risk.Confirm{}}
	want["POST "+escalationRoute+"/raise"] = api.Body{Value: risk.Raise{}}
	want["POST "+escalationRoute+"/originator"] = api.Body{Value: api.NewOriginator{}}
	want["POST "+escalationRoute+"/note"] = api.Body{Value: risk.Note{}}
	want["POST /api/v1/vendor-notices"] = api.Body{Value: api.NewVendorNotice{}}
	want["POST "+routineRoute+"/move"] = api.Body{Value: routine.Move{}}
	want["POST "+routineRoute+"/skip"] = api.Body{Value: routine.Skip{}}
	want["POST "+responseRoute+"/off"] = api.Body{Value: response.SwitchOff{}}
	want["POST "+responseRoute+"/on"] = api.Body{Value: response.SwitchOn{}}
	want["POST /api/v1/silences"] = api.Body{Value: api.NewSilence{}}
	want["POST "+silenceRoute+"/end"] = api.Body{Value: silence.End{}}
	want["POST /api/v1/actions"] = api.Body{Value: api.NewAction{}}
	want["POST "+actionRoute+"/done"] = api.Body{Value: action.Complete{}}
	want["POST "+actionRoute+"/verify"] = api.Body{Value: action.Verify{}}
	want["POST "+actionRoute+"/effect"] = api.Body{Value: action.CheckEffect{}}
	want["POST "+actionRoute+"/extend"] = api.Body{Value: action.Extend{}}
	want["POST "+actionRoute+"/assign"] = api.Body{Value: api.NewActionOwner{}}
	want["POST "+actionRoute+"/cancel"] = api.Body{Value: action.Cancel{}}
	want["POST "+actionRoute+"/note"] = api.Body{Value: action.Note{}}
	want["POST "+requestRoute+"/approve"] = api.Body{Value: request.Approve{}}
	want["POST "+requestRoute+"/decline"] = api.Body{Value: request.Decline{}}
	want["POST "+requestRoute+"/answer"] = api.Body{Value: request.Answer{}}
	want["POST "+requestRoute+"/withdraw"] = api.Body{Value: request.Withdraw{}}
	want["POST "+requestRoute+"/note"] = api.Body{Value: request.Note{}}
	want["POST "+requestRoute+"/take"] = api.Body{Value: request.Take{}}
	want["POST "+requestRoute+"/hand-over"] = api.Body{Value: api.NewRequestOwner{}}
	want["POST "+requestRoute+"/meeting"] = api.Body{Value: request.Meet{}}
	want["POST "+requestRoute+"/collect"] = api.Body{Value: request.Collect{}}
	want["POST "+requestRoute+"/case"] = api.Body{Value: api.NewRequestCase{}}
	want["POST "+requestRoute+"/judge"] = api.Body{Value: request.Judge{}}
	want["POST "+requestRoute+"/incident"] = api.Body{Value: api.RequestIncident{}}
	want["POST /api/v1/incidents/{id}/review"] = api.Body{Value: struct{}{}}
	doc := document(t)
	for _, o := range operations(doc) {
		body, there := o.doc["requestBody"].(object)
		w, wanted := want[o.key()]
		if there != wanted {
			t.Errorf("%s: has a body: got %v, want %v", o.key(), there, wanted)
		}
		if !there || !wanted {
			continue
		}
		schema, _ := whole(doc, under(body, "content", "application/json", "schema"))
		if under(schema, "additionalProperties") != false {
			t.Errorf("%s: lets unknown fields through", o.key())
		}
		var names, required []string
		fields(reflect.TypeOf(w.Value), func(name string, always bool, typ reflect.Type) {
			if slices.Contains(w.Left, name) {
				return
			}
			names = append(names, name)
			if always {
				required = append(required, name)
			}
			field, _ := whole(doc, under(schema, "properties", name))
			got, want := texts(under(field, "enum")), api.Allowed(reflect.Zero(typ).Interface())
			if typ == reflect.TypeFor[supportplan.Channel]() && o.key() == "POST /api/v1/incidents" { // not every way of support is one of reporting
				want = nil
				for _, c := range incident.Channels() {
					want = append(want, string(c))
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %s: got the values %q, want %q", o.key(), name, got, want)
			}
		})
		properties, _ := under(schema, "properties").(object)
		if got := slices.Sorted(maps.Keys(properties)); !slices.Equal(got, slices.Sorted(slices.Values(names))) {
			t.Errorf("%s: got the fields %q, want %q", o.key(), got, names)
		}
		if got := texts(under(schema, "required")); !slices.Equal(got, append([]string{}, required...)) {
			t.Errorf("%s: required: got %q, want %q", o.key(), got, required)
		}
		if got := body["required"] == true; got != (len(required) > 0) {
			t.Errorf("%s: body required: got %v, want %v", o.key(), got, len(required) > 0)
		}
	}
}

// A judge holds answers against the document, strictly: no answer has a field that is not described.
type judge struct {
	doc      object
	compiler *jsonschema.Compiler
}

func newJudge(t testing.TB) judge {
	t.Helper()
	j := judge{document(t), jsonschema.NewCompiler()}
	strict := document(t)
	walk("", strict, func(_ string, o object) {
		if _, ok := o["properties"].(object); ok && o["type"] == "object" {
			o["additionalProperties"] = false
		}
	})
	j.compiler.DefaultDraft(jsonschema.Draft2020)
	j.compiler.AssertFormat()
	if err := j.compiler.AddResource("openapi.json", strict); err != nil {
		t.Fatal(err)
	}
	return j
}

var pointer = strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")

// schema compiles what stands under keys.
func (j judge) schema(t testing.TB, keys ...string) *jsonschema.Schema {
	t.Helper()
	at := "openapi.json#"
	for _, key := range keys {
		at += "/" + pointer.Replace(key)
	}
	s, err := j.compiler.Compile(at)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// judge finds what an answer has that the document does not allow for its operation and status.
func (j judge) judge(t *testing.T, o operation, w *httptest.ResponseRecorder) {
	t.Helper()
	code := strconv.Itoa(w.Code)
	keys := []string{"paths", o.path, strings.ToLower(o.method), "responses", code}
	response, name := whole(j.doc, under(o.doc, "responses", code))
	if response == nil {
		t.Errorf("%s: answers %s, which the document does not have: %s", o.key(), code, w.Body)
		return
	}
	if name != "" {
		keys = []string{"components", "responses", name}
	}
	headers, _ := under(response, "headers").(object)
	for header := range headers {
		if w.Header().Get(header) == "" {
			t.Errorf("%s: answers %s without %s", o.key(), code, header)
		}
	}
	media, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
	if content, ok := under(response, "content").(object); ok && content[media] == nil || !ok && w.Body.Len() > 0 {
		t.Errorf("%s: answers %s as %s, which the document does not have", o.key(), code, media)
		return
	}
	if !strings.HasSuffix(media, "json") {
		return
	}
	body, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
	if err == nil {
		err = j.schema(t, append(keys, "content", media, "schema")...).Validate(body)
	}
	if err != nil {
		t.Errorf("%s: answers %s: %v\n%s", o.key(), code, err, w.Body)
	}
}

// A demand is a right request of an operation, before something is made wrong with it.
type demand struct {
	method, path, body, kind string
	auth                     string
	header                   http.Header
}

// right is a request that is answered with 200, made by an administrator.
func right(t *testing.T, p *place, o operation) demand {
	t.Helper()
	p.person = p.token(t, store.Token{Actor: "choi"})
	p.reviews.Facts = review.FactsOf(p.incidents[open])
	r := demand{method: o.method, path: o.path, kind: "application/json", auth: "Bearer " + p.person, header: http.Header{}}
	id, last := string(open), o.path[strings.LastIndex(o.path, "/")+1:]
	switch {
	case strings.HasPrefix(o.path, "/api/v1/tokens/"):
		id = p.tokenID(t, "choi")
	case strings.HasPrefix(o.path, "/api/v1/keys/"):
		p.ask("POST", "/api/v1/keys", "")
		id = p.keys.Keys()[1].ID
	case o.key() == "POST /api/v1/incidents":
		r.body = `{"service":"checkout","title":"Payments are refused","customer":"acme"}`
	case o.key() == "POST "+handoverRoute:
		id, r.body = "primary", `{"to":"kim","within":"30m","note":"watch the batch"}`
	case strings.HasPrefix(o.path, handoverRoute):
		p.handingOver(t, "choi")
		id, r.body = "primary", map[string]string{"confirm": `{"note":"fine"}`, "decline": `{"reason":"ill"}`, "note": `{"text":"said"}`}[last]
	case o.key() == "POST /api/v1/codec/decode":
		r.body = `{"payloads":[{"metadata":{"encoding":"YmluYXJ5L2VuY3J5cHRlZA=="},"data":"AAAA"}]}`
	case o.key() == "POST /api/v1/forms":
		r.body = `{"person":"acme/desk","days":30}`
	case o.key() == "POST /api/v1/requests":
		r.body = asked()["requests"]
	case strings.HasPrefix(o.path, requestRoute):
		id, r.body = string(tuning), asked()[last]
		if last == "answer" {
			p.ask("POST", tuned+"/approve", asked()["approve"])
		}
		if o.method == "GET" {
			r.body = ""
		}
		if (o.method == "POST" || last == "minutes") && p.requests[tuning] != nil {
			p.readied(last)
		}
	case o.key() == "POST /api/v1/problems":
		r.body = problemBodies()["problems"]
	case strings.HasPrefix(o.path, problemRoute):
		id, r.body = string(leaking), problemBodies()[last]
	case o.key() == "POST /api/v1/changes":
		r.body = newChange(p.now)
	case strings.HasPrefix(o.path, changeRoute):
		id = string(enlarging)
		if o.method == "POST" {
			r.body = p.changeBody(last)
		}
	case o.key() == "POST /api/v1/contacts/test":
		r.body = `{"person":"park"}`
	case o.key() == "POST /api/v1/escalations":
		r.body = escalating()["escalations"]
	case strings.HasPrefix(o.path, escalationRoute):
		id = string(restore)
		if last == "in-hand" && p.risks[restore] != nil {
			p.escalatedBy("choi")
		}
		if o.method == "POST" {
			r.body = escalating()[last]
		}
	case o.key() == "POST /api/v1/silences":
		r.body = silencing(p.now)
	case strings.HasPrefix(o.path, silenceRoute):
		id = string(disk)
	case strings.HasPrefix(o.path, responseRoute):
		id = "restart"
		r.body = `{"reason":"x"}`
		if last == "on" {
			_ = response.SwitchOff{Reason: "x"}.Apply(p.guard, p.people["kim"].Actor, p.now)
		}
	case o.key() == "POST /api/v1/vendor-notices":
		r.body = noticeBody
	case o.path == assetRoute:
		id = "db"
	case strings.HasPrefix(o.path, routineRoute):
		id = "check"
		r.body = routineBodies(p.now)[last]
	case o.key() == "POST /api/v1/actions":
		r.body = acting()["actions"]
	case strings.HasPrefix(o.path, actionRoute):
		id = string(pools)
		if o.method == "POST" {
			r.body = p.actionBody(last)
		}
	case o.key() == "POST /api/v1/plan-runs":
		r.body = `{"plan":"small","customer":"acme","environments":{"production":"prod","staging":"stage"},"parameters":{"version":"4.3"}}`
	case strings.HasPrefix(o.path, planRoute):
		id = string(upgrading)
		if o.method == "POST" {
			r.body = p.planBody(t, last)
		}
	case o.key() == "POST /api/v1/tokens":
		r.body = `{"actor":"bot","kind":"machine","roles":"responder","scopes":"read","label":"own","expires":"2027-01-31T00:00:00+09:00"}`
	case strings.HasSuffix(o.path, "/review"):
		p.reviews.Status = review.Closed // there is none yet
	case strings.Contains(o.path, "/review/"):
		r.body = reviewBodies()[last]
	case o.method == "POST":
		r.body = bodies()[last]
	}
	r.path = strings.Replace(r.path, "{id}", id, 1)
	if o.key() == "POST /api/v1/incidents/{id}/review" {
		p.ask("POST", at+"/resolve", bodies()["resolve"])
	}
	switch verb := strings.TrimPrefix(o.path, "/api/v1/incidents/{id}/"); verb {
	case "resume":
		p.ask("POST", at+"/pause", bodies()["pause"])
	case "reopen", "close", "send-report", "answer":
		p.ask("POST", at+"/resolve", bodies()["resolve"])
	case "approve-update", "reject-update":
		p.propose()
	case "approve-response", "stop-response":
		p.responds("park", "choi")
	case "case":
		p.ask("POST", at+"/cause", bodies()["cause"])
	case "end-runbook":
		p.ask("POST", at+"/start-runbook", bodies()["start-runbook"])
	case "merge", "split", "relate":
		with := *newHouse(t).incidents[open]
		with.ID = other
		p.incidents[other] = &with
		if verb == "split" {
			p.ask("POST", at+"/merge", bodies()["merge"])
			p.incidents[open].ReceiveMerge(incident.MergeMessage{Kind: incident.MergeTaken, From: incident.Merging{ID: other}, To: open}, p.now)
		}
	}
	return r
}

// wrong makes something wrong with a request, so that it is answered with a status.
func wrong(t *testing.T, p *place, o operation, r *demand, code string) *http.Request {
	t.Helper()
	ctx := t.Context()
	switch code {
	case "304":
		r.header.Set("If-None-Match", "*")
	case "401":
		r.auth = ""
	case "403":
		scopes := []string{"manage-keys"}
		if strings.HasPrefix(o.path, "/api/v1/keys") {
			scopes = []string{"read"}
		}
		r.auth = "Bearer " + p.token(t, store.Token{Actor: "choi", Scopes: scopes})
	case "404":
		if r.path = strings.Replace(o.path, "{id}", "none", 1); o.path == "/api/v1/contacts" {
			r.path += "?person=none"
		}
	case "405":
		r.method = "PUT"
	case "409":
		if o.key() == "POST /api/v1/incidents" { // the receipt of another one
			p.fail = []error{&starter.RefusedError{Reason: "it is another one's"}}
			break
		}
		if o.key() == "POST /api/v1/keys" { // their file is a copy that nobody may change
			if err := os.Mkdir(filepath.Join(p.folder, keyring.File+".lock"), 0o700); err != nil {
				t.Fatal(err)
			}
			break
		}
		if strings.HasPrefix(o.path, handoverRoute) {
			p.handingOver(t, "park") // not the visitor's to confirm or decline
		}
		if o.path == handoverRoute+"/note" {
			handover.Decline{Reason: "ill"}.Apply(p.handover, p.people["park"].Actor, p.now)
		}
		if o.key() == "POST /api/v1/plan-runs" { // another run has the environment
			p.fail = []error{&starter.RefusedError{Reason: "another one has it"}}
			break
		}
		if strings.HasPrefix(o.path, planRoute) {
			if err := doing(p.planRuns[upgrading], p.people["kim"].Actor, p.now, planrun.Cancel{Capacity: planrun.Capacity{Roles: []string{"lead"}}, Reason: "r"}); err != nil {
				p.planRuns[upgrading].Status, p.planRuns[upgrading].Ended = planrun.Cancelled, p.now // it is rolling back
			}
			break
		}
		if o.key() == "POST /api/v1/problems" { // another one is open for it
			p.fail = []error{&starter.RefusedError{Reason: "another one is open"}}
			break
		}
		if strings.HasPrefix(o.path, problemRoute) {
			p.ask("POST", leak+"/close", problemBodies()["close"])
			break
		}
		if o.key() == "POST /api/v1/changes" { // the key of another one
			p.fail = []error{&starter.RefusedError{Reason: "it is another one"}}
			break
		}
		if strings.HasPrefix(o.path, changeRoute) {
			p.changes[enlarging].Status, p.changes[enlarging].Ended = change.Withdrawn, p.now
			break
		}
		if o.key() == "POST /api/v1/requests" { // the key of another one
			p.fail = []error{&starter.RefusedError{Reason: "it is another one"}}
			break
		}
		if o.key() == "POST /api/v1/actions" || o.key() == "POST /api/v1/escalations" || o.key() == "POST /api/v1/silences" { // the key of another one
			p.fail = []error{&starter.RefusedError{Reason: "it is another one"}}
			break
		}
		if o.key() == "POST /api/v1/contacts/test" { // test pages are under way
			p.ledger.Round = &reach.Round{By: p.people["kim"].Actor, Begun: p.now}
			break
		}
		if o.key() == "POST "+requestRoute+"/judge" { // nobody has answered it
			p.requests[tuning].Status = request.Accepted
			break
		}
		if strings.HasPrefix(o.path, responseRoute) { // it is so already
			c := map[bool]response.Command{true: response.SwitchOff{Reason: "x"}, false: response.SwitchOn{Reason: "x"}}[strings.HasSuffix(o.path, "/off")]
			_ = c.Apply(p.guard, p.people["kim"].Actor, p.now)
			stopsResponse(p)
			break
		}
		if strings.HasPrefix(o.path, routineRoute) { // both are left out already
			for n := range p.routine.Ahead {
				p.routine.Ahead[n].Fate = routine.Skipped
			}
			break
		}
		if s := p.silences[disk]; strings.HasPrefix(o.path, silenceRoute) {
			if err := (silence.End{}).Apply(s, s.By, p.now); err != nil {
				t.Fatal(err)
			}
			break
		}
		if e := p.risks[restore]; strings.HasPrefix(o.path, escalationRoute) {
			if err := (risk.Confirm{}).Apply(e, e.Originator, p.now); err != nil {
				t.Fatal(err)
			}
			break
		}
		if a := p.actions[pools]; strings.HasPrefix(o.path, actionRoute) {
			if err := (action.Cancel{Reason: "r"}).Apply(a, p.people["kim"].Actor, p.now); err != nil {
				t.Fatal(err)
			}
			break
		}
		p.unreached = true
		p.ask("POST", tuned+"/withdraw", asked()["withdraw"])
		p.ask("POST", at+"/resolve", bodies()["resolve"])
		p.ask("POST", at+"/close", "{}")
		if strings.HasSuffix(o.path, "/split") { // the other one is over, and this one with it
			p.incidents[open].ReceiveMerge(incident.MergeMessage{Kind: incident.MergeOver, From: incident.Merging{ID: other}, To: open}, p.now)
		}
		p.reviews.Status = review.Closed
		if o.key() == "POST /api/v1/incidents/{id}/review" {
			p.reviews.Status = review.Open
		}
		if strings.HasPrefix(o.path, "/api/v1/keys/") {
			r.path = "/api/v1/keys/none"
		}
	case "413":
		r.body = strings.Repeat(" ", max(api.MaxPlanBody, api.MaxCodecBody)+1)
	case "415":
		r.body, r.kind = "{}", "text/plain"
	case "422":
		r.path += "?nothing=1"
	case "429":
		r.auth, p.wait = "Bearer muster_guessed", time.Minute
	case "500":
		_ = p.store.Close()
	case "503":
		gone, cancel := context.WithCancel(ctx)
		cancel()
		ctx = gone
	}
	made := httptest.NewRequestWithContext(ctx, r.method, r.path, strings.NewReader(r.body))
	if code == "400" {
		made = httptest.NewRequestWithContext(ctx, r.method, r.path, iotest.ErrReader(errors.New("gone")))
	}
	made.Header = r.header
	made.Header.Set("Authorization", r.auth)
	made.Header.Set("Content-Type", r.kind)
	return made
}

// TestOperationsAnswerAsTheDocumentSays makes everything wrong with every operation that can be wrong with any of them. It is
// answered with the status for that where the document has it, and else with another one of the document. A place is used
// again unless that changes what it answers next.
func TestOperationsAnswerAsTheDocumentSays(t *testing.T) {
	j := newJudge(t)
	codes := map[string]bool{}
	for _, o := range operations(j.doc) {
		for code := range o.doc["responses"].(object) {
			codes[code] = true
		}
	}
	for _, o := range operations(j.doc) {
		shared := newPlace(t)
		for code := range codes {
			t.Run(o.doc["operationId"].(string)+" "+code, func(t *testing.T) {
				p := shared
				if slices.Contains([]string{"200", "409", "429", "500"}, code) {
					p = newPlace(t)
				}
				r := right(t, p, o)
				w := httptest.NewRecorder()
				p.handler.ServeHTTP(w, wrong(t, p, o, &r, code))
				j.judge(t, o, w)
				byAddress := code == "429" && slices.Contains(openOperations(), o.key()) // before the API is reached
				if under(o.doc, "responses", code) != nil && strconv.Itoa(w.Code) != code && !byAddress {
					t.Errorf("got %d, want %s: %s", w.Code, code, w.Body)
				}
			})
		}
	}
}

// storm fills an incident with everything that its state can hold.
func storm(t *testing.T, p *place) {
	t.Helper()
	i := p.incidents[open]
	batch := alert.Batch{
		Source: "prometheus", Posts: 1, Truncated: 3, GroupResolved: true, Impact: priority.High, Urgency: priority.High,
		ReceivedAt: p.now,
	}
	for n := range alert.MaxFull + alert.MaxBrief + alert.MaxNames + 2 {
		a := alert.Alert{Fingerprint: "s" + strconv.Itoa(n), Name: "Storm" + strconv.Itoa(n), State: alert.Firing, StartsAt: p.now}
		if n%2 == 0 {
			a.State, a.EndsAt = alert.Resolved, p.now
		}
		batch.Alerts = append(batch.Alerts, alert.Received{Times: 1, Alert: a})
	}
	for _, verb := range []string{
		"pause", "resume", "acknowledge", "assign", "note", "escalate", "mitigate", "update", "resolve", "reopen",
	} {
		if w := p.ask("POST", at+"/"+verb, bodies()[verb]); w.Code != 200 {
			t.Fatalf("%s: got %d %s", verb, w.Code, w.Body)
		}
	}
	i.Receive(batch, p.now)
	i.Advance(p.now)
	if len(i.Alerts.Brief) == 0 || len(i.Alerts.Rest) == 0 || i.Alerts.Unnamed == 0 || len(i.Outbox) == 0 || len(i.Holders) == 0 {
		t.Fatal("the state of the incident does not hold what it should")
	}
	i.Previous = &incident.Earlier{ID: "INC-0000000001", RunID: "run", ClosedAt: p.now}
	i.Definition.Roles = []incident.RoleTarget{{Role: incident.SupportManager, Targets: i.Definition.Policy.LastResort}}
	i.Definition.Links = []incident.Link{{Name: "runbook", URL: "https://wiki.example/checkout"}}
	i.Report.Files = []incident.File{{Path: "report.md", SHA256: "00"}}
	i.Ticket.Ref.ID, i.Ticket.Ref.URL = "T-1", "https://desk.example/T-1"
	i.Review = incident.Review{ID: "review/1", Due: p.now, Wanted: true, Opened: true}
	learn(i, p.people["park"].Actor, p.now)
	p.reviews.Facts = review.FactsOf(i)
	p.reviews.Opened, p.reviews.Due, p.reviews.Overdue = p.now, p.now, true
}

// learn fills an incident with what people have said of it and done about it.
func learn(i *incident.Incident, by timeline.Actor, now time.Time) {
	clock := supportplan.Start("acme", supportplan.Promise{Target: supportplan.Confirm, Days: 2, Calendar: "office"}, now)
	late := supportplan.Start("vendor:vane", supportplan.Promise{Target: supportplan.Respond, Within: time.Hour}, now)
	merging := incident.Merging{ID: other, WorkflowID: "incident/b", Title: "Disks", Asked: now, Taken: now, Customers: []string{"globex"}}
	i.Previous.Title, i.Previous.Cause, i.Previous.Remedy = "Checkout answers 500", "the pool", "a larger pool"
	i.Notice = &incident.Notice{
		Receipt: "CS-1", Channel: supportplan.ByPhone, Customer: "acme", Received: now, Occurred: now, NoticedBy: "a shop", Text: "it is slow", By: by,
	}
	i.Definition.Lead = &incident.LeadRule{FromPriority: priority.P2, Within: time.Minute}
	i.Definition.Customers[0].Plan.Confirm = &supportplan.Confirmation{Days: 2, Calendar: "office"}
	i.Settled = now
	i.Cause = &incident.Cause{Domain: incident.CauseVendor, Vendor: "Vane", Text: "their disks", By: by, At: now}
	i.Holders[0].Due = now
	i.Absent, i.Vacant = []incident.Absence{{Role: incident.SupportManager, Person: "lee"}}, []incident.Role{incident.SupportManager}
	i.Confirmations = []incident.Confirmation{{Clock: clock, Asked: now, Answer: incident.Fixed, By: &by, Answered: now, Lapsed: true}}
	i.Cases = []incident.VendorCase{{Opened: now, Clock: &late, Reference: "SR-1", Answered: now, Support: incident.VendorSupport{
		ID: "vane", Name: "Vane", Plan: "gold", Notify: i.Definition.Policy.LastResort, Respond: []incident.VendorResponse{{Priority: priority.P2, Within: time.Hour}},
		Calendar: &calendar.Rules{ID: "office", Zone: "Asia/Seoul"},
	}}}
	i.Summons = []incident.Summons{{Person: "kim", Name: "김민수", By: by, At: now, Due: now, Answered: now, Missed: true}}
	i.Runbooks = []incident.RunbookUse{{Name: "checkout", By: by, Started: now, Ended: now, Outcome: incident.RunbookLeft}}
	i.Related = []incident.Relation{{ID: other, Kind: incident.CausedBy, Title: "Disks", Note: "theirs"}}
	i.MergedInto, i.Merged, i.Adopted = &merging, []incident.Merging{merging}, true
	i.Results = []incident.Result{{
		Customer: "acme", Revision: 2, Sent: now, Files: []incident.ResultFile{{Language: "ko", Name: "acme.ko.md", SHA256: "00"}},
	}}
}

func TestAnswersFitTheDocumentWhateverTheyHold(t *testing.T) {
	j, p := newJudge(t), newPlace(t)
	storm(t, p)
	p.handingOver(t, "park")
	handover.Confirm{Note: "fine", InsteadOf: "park"}.Apply(p.handover, p.people["choi"].Actor, p.now)
	handover.Pass{Failures: []handover.Failure{{Incident: string(open), Role: "support-manager", Detail: "gone"}}}.Apply(p.handover, p.people["choi"].Actor, p.now)
	p.token(t, store.Token{
		Actor: "bot", Kind: store.Machine, Roles: []string{"auditor"}, Scopes: []string{"read"}, Label: "ci",
		Expires: p.now.Add(time.Hour),
	})
	all := map[string]operation{}
	for _, o := range operations(j.doc) {
		all[o.key()] = o
	}
	for _, actor := range []string{"choi", "park", "yoon", "acme/desk", "acme/lead", "globex/lead", "jung", "oh", "seo", "vera"} {
		auth := p.as(t, actor)
		for _, tt := range []struct{ route, query string }{
			{"/api/v1/me", ""},
			{"/api/v1/incidents", ""},
			{"/api/v1/incidents", "?limit=0&status=open&open=yes&after=%25&x=1"}, // every fault at once
			{"/api/v1/incidents/{id}", ""},
			{"/api/v1/incidents/{id}/timeline", "?lang=en&after=1"},
			{"/api/v1/incidents/{id}/timeline", "?lang=ko"},
			{"/api/v1/incidents/{id}/alerts", "?firing=true&name=HighErrorRate"},
			{"/api/v1/incidents/{id}/report", "?format=md"},
			{"/api/v1/incidents/{id}/report", "?format=html&lang=en"},
			{"/api/v1/incidents/{id}/history", ""},
			{"/api/v1/incidents/{id}/review", ""},
			{"/api/v1/incidents/{id}/review/report", "?format=md"},
			{"/api/v1/incidents/{id}/review/report", "?format=html&lang=en&customer=acme"},
			{"/api/v1/reviews", ""},
			{handoverRoute, ""},
			{"/api/v1/requests", "?status=accepted&open=true&limit=7"},
			{"/api/v1/requests", "?status=gone"},
			{requestRoute, ""},
			{requestRoute + "/report", "?format=md"},
			{requestRoute + "/minutes", "?format=html&lang=ko&number=1"},
			{"/api/v1/escalations", "?status=open&open=true&service=checkout&limit=7"},
			{"/api/v1/escalations", "?status=gone"},
			{"/api/v1/heartbeats", "?status=missed"},
			{"/api/v1/heartbeats", "?status=late"},
			{escalationRoute, ""},
			{"/api/v1/silences", "?status=holding&open=true&limit=7"},
			{"/api/v1/silences", "?status=gone"},
			{silenceRoute, ""},
			{"/api/v1/assets", "?customer=acme&service=checkout&environment=prod&kind=database&tag=tier%3Ddata&tag=site%3Da&text=db"},
			{"/api/v1/assets", "?tag=tier&tags=x"},
			{assetRoute, ""},
			{"/api/v1/routines", ""},
			{"/api/v1/visits", ""},
			{"/api/v1/visits", "?customer=acme&year=2026"},
			{"/api/v1/visits", "?year=1999"},
			{routineRoute, ""},
			{"/api/v1/automatic-responses", ""},
			{responseRoute, ""},
			{"/api/v1/actions", "?status=open&open=true&owner=choi&limit=7"},
			{"/api/v1/actions", "?status=gone"},
			{actionRoute, ""},
			{"/api/v1/plan-runs", "?kind=upgrade&status=running&open=true&customer=acme&limit=7"},
			{"/api/v1/plan-runs", "?kind=gone"},
			{planRoute, ""},
			{"/api/v1/inbox", ""},
			{"/api/v1/inbox", "?lang=en"},
			{"/api/v1/tokens", ""},
			{"/api/v1/attempts", "?limit=1"},
			{"/api/v1/keys", ""},
			{"/api/v1/contacts", ""},
			{"/api/v1/contacts", "?person=park"},
			{"/api/v1/contacts", "?person=gone"},
		} {
			id := string(open)
			if tt.route == handoverRoute {
				id = "primary"
			}
			if tt.route == escalationRoute {
				id = string(restore)
			}
			if tt.route == silenceRoute {
				id = string(disk)
			}
			if tt.route == routineRoute {
				id = "check"
			}
			if tt.route == assetRoute {
				id = "db"
			}
			if tt.route == responseRoute {
				id = "restart"
			}
			if tt.route == actionRoute {
				id = string(pools)
			}
			if strings.HasPrefix(tt.route, requestRoute) {
				id = string(tuning)
			}
			if tt.route == planRoute {
				id = string(upgrading)
			}
			path := strings.Replace(tt.route, "{id}", id, 1) + tt.query
			j.judge(t, all["GET "+tt.route], p.ask("GET", path, "", "Authorization", auth))
		}
	}
	for _, actor := range []string{"choi", "acme/desk", "globex/lead", "jung", "vera"} {
		auth := p.as(t, actor)
		for _, body := range []string{
			`{"service":"checkout","title":"slow","receipt":"CS-2"}`, `{"service":"checkout","title":"slow","customer":"acme","impact":"low"}`,
			`{"service":"none","title":"slow","received":"2026-11-29T00:00:00Z"}`,
		} {
			for range 2 { // the same again is the same incident
				j.judge(t, all["POST /api/v1/incidents"], p.ask("POST", "/api/v1/incidents", body, "Authorization", auth, "Idempotency-Key", "k"))
			}
		}
	}
	machine := p.ask("GET", "/api/v1/me", "", "Authorization", "Bearer "+p.machine)
	j.judge(t, all["GET /api/v1/me"], machine)
	for _, fail := range []error{
		&starter.UnavailableError{Cause: errors.New("no engine")}, &starter.StuckError{}, &starter.RefusedError{Reason: "no"},
	} {
		p.fail = []error{fail}
		j.judge(t, all["POST /api/v1/incidents/{id}/note"], p.ask("POST", at+"/note", bodies()["note"]))
	}
	for _, body := range []string{`{"role":"x","person":1,"who":"me"}`, `{"role":"support-manager","person":"nobody"}`, `{`} {
		j.judge(t, all["POST /api/v1/incidents/{id}/assign"], p.ask("POST", at+"/assign", body))
	}
}

func TestTheJudgeIsStrict(t *testing.T) {
	j := newJudge(t)
	for name, tt := range map[string]struct{ schema, body string }{
		"unknown field":  {"Receipt", `{"id":"INC-1","status":"closed","priority":1,"seq":1,"more":1}`},
		"missing field":  {"Receipt", `{"id":"INC-1","status":"closed","priority":1}`},
		"unknown value":  {"Receipt", `{"id":"INC-1","status":"gone","priority":1,"seq":1}`},
		"no instant":     {"Span", `{"from":"yesterday"}`},
		"deep in a list": {"KeyList", `{"keys":[{"id":"k"}]}`},
	} {
		body, err := jsonschema.UnmarshalJSON(strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		if j.schema(t, "components", "schemas", tt.schema).Validate(body) == nil {
			t.Errorf("%s: %s is found right", name, tt.body)
		}
	}
}

func TestExamplesFitTheirSchemas(t *testing.T) {
	j, found := newJudge(t), 0
	for name, schema := range under(j.doc, "components", "schemas").(object) {
		examples, _ := under(schema, "examples").([]any)
		for _, example := range examples {
			found++
			if err := j.schema(t, "components", "schemas", name).Validate(example); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if found < 20 {
		t.Errorf("got %d examples, want some for every body at least", found)
	}
}

// The examples of commands are not only well-formed: the API takes them.
func TestExamplesOfBodiesAreTaken(t *testing.T) {
	doc := document(t)
	for _, o := range operations(doc) {
		schema, name := whole(doc, under(o.doc, "requestBody", "content", "application/json", "schema"))
		if name == "" {
			continue
		}
		examples, _ := under(schema, "examples").([]any)
		if len(examples) == 0 {
			t.Errorf("%s: has no example", name)
			continue
		}
		body, err := json.Marshal(examples[0])
		if err != nil {
			t.Fatal(err)
		}
		p := newPlace(t)
		r := right(t, p, o)
		task, _, _ := p.planRuns[upgrading].Task("approve")
		shown := task.Ballot.Shown.SHA256
		if b := p.changes[enlarging].Ballot; b != nil {
			shown = b.Shown.SHA256
		}
		body = bytes.Replace(body, []byte("SHOWN"), []byte(shown), 1)
		if w := p.ask(r.method, r.path, string(body)); w.Code != http.StatusOK {
			t.Errorf("%s %s: got %d %s, want 200", o.key(), body, w.Code, w.Body)
		}
	}
}

func TestTheDocumentIsServed(t *testing.T) {
	p := newPlace(t)
	w := p.ask("GET", "/api/v1/openapi.json", "", "Authorization", "")
	tag := w.Header().Get("ETag")
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-cache" || tag == "" {
		t.Fatalf("got %d %v", w.Code, w.Header())
	}
	if !strings.HasPrefix(w.Body.String(), `{"openapi":"3.1.1","info":{"title":"Muster API","version":"v1.2.3",`) {
		t.Errorf("got %.100s, want the version of the server", w.Body)
	}
	for have, want := range map[string]int{
		tag: 304, "W/" + tag: 304, `"other", ` + tag: 304, "*": 304,
		`"other"`: 200, "": 200, strings.Trim(tag, `"`): 200, tag + "x": 200,
	} {
		w := p.ask("GET", "/api/v1/openapi.json", "", "Authorization", "", "If-None-Match", have)
		if w.Code != want || (w.Body.Len() == 0) != (want == 304) || w.Header().Get("ETag") != tag {
			t.Errorf("If-None-Match %s: got %d with %d bytes and %s, want %d", have, w.Code, w.Body.Len(), w.Header().Get("ETag"), want)
		}
	}
	for _, path := range []string{"/api/v1/openapi.json", "/api/docs"} {
		if w := p.ask("HEAD", path, "", "Authorization", ""); w.Code != 200 {
			t.Errorf("HEAD %s: got %d", path, w.Code)
		}
	}
	if w := p.ask("GET", "/api/docs?lang=fr", "", "Authorization", ""); w.Code != 422 || problemOf(t, w).Field != "lang" {
		t.Errorf("lang=fr: got %d %s", w.Code, w.Body)
	}
}

func TestLanguageOfTheDocs(t *testing.T) {
	p := newPlace(t)
	tags := map[string]string{}
	for _, tt := range []struct{ query, accept, want string }{
		{"", "", "en"},
		{"", "ko", "ko"},
		{"", "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", "ko"},
		{"", "en;q=0.5, KO ; q=0.7", "ko"},
		{"", "ko;q=0.5,en", "en"},
		{"", "fr, de;q=0.9", "en"},
		{"", "fr, ko;q=0.1", "ko"},
		{"", "ko;q=0", "en"},
		{"", "*", "en"},
		{"", "ko;q=high", "en"},
		{"", "korean", "en"},
		{"?lang=ko", "en", "ko"},
		{"?lang=en", "ko", "en"},
		{"?lang=", "ko", "ko"},
	} {
		h := p.ask("GET", "/api/docs"+tt.query, "", "Authorization", "", "Accept-Language", tt.accept).Header()
		if got := h.Get("Content-Language"); got != tt.want || h.Get("Vary") != "Accept-Language" {
			t.Errorf("%s with %q: got %q, Vary %q; want %q", tt.query, tt.accept, got, h.Get("Vary"), tt.want)
		}
		if tag := h.Get("ETag"); tag == "" || tags[tt.want] != "" && tags[tt.want] != tag {
			t.Errorf("%s with %q: got ETag %q, want %q", tt.query, tt.accept, tag, tags[tt.want])
		}
		tags[tt.want] = h.Get("ETag")
	}
	if tags["en"] == tags["ko"] {
		t.Errorf("both pages have the ETag %s", tags["en"])
	}
}

// FuzzPreferred asks that whatever a browser sends names a language that there is, or none.
func FuzzPreferred(f *testing.F) {
	for _, seed := range []string{"", "ko", "ko-KR,ko;q=0.9,en;q=0.8", "*;q=0.1", "en;q=NaN", "ko;q=-1", "en;q=1e9,ko", ";;,,=", "ko;q=0.5;x"} {
		f.Add(seed)
	}
	have := []string{"en", "ko"}
	f.Fuzz(func(t *testing.T, header string) {
		got := api.Preferred(header, have)
		if got != "" && (!slices.Contains(have, got) || !strings.Contains(strings.ToLower(header), got)) {
			t.Errorf("%q: got %q", header, got)
		}
		if again := api.Preferred(header, []string{"ko", "en"}); again != got {
			t.Errorf("%q: got %q, and %q when the languages stand the other way round", header, got, again)
		}
		if only := api.Preferred("ko;q=1,"+header, have); only != "ko" {
			t.Errorf("%q after ko: got %q", header, only)
		}
	})
}
