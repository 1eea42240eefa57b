package layout

import (
	"slices"
	"strings"
)

// The groups of rooms that a rule names together. A room lists what it may import as groups, as folders
// ("internal/org") and as libraries (a module or package path; everything below it counts).
const (
	pure     = "pure"     // rules: no clock, no I/O, no Temporal
	adapters = "adapters" // one outside system each, named for the other side
	entries  = "entries"  // ways in, on top of the typed client in starter
	anything = "anything" // every room and library
)

// A room is one folder with what its files may import. The standard library is open to all but the pure rooms.
type room struct {
	group string   // the group it belongs to, if any
	may   []string // groups, folders and libraries
	only  []string // who alone may import it; empty: whoever lists it
}

// The libraries that several rooms share.
const (
	temporalAPI = "go.temporal.io/api"
	temporalSDK = "go.temporal.io/sdk"
	sdkWorkflow = "go.temporal.io/sdk/workflow"
	sdkTemporal = "go.temporal.io/sdk/temporal"
	sdkActivity = "go.temporal.io/sdk/activity"
	apiEnums    = "go.temporal.io/api/enums/v1"
	retries     = "github.com/hashicorp/go-retryablehttp"
	yaml        = "go.yaml.in/yaml/v4"
	telemetry   = "go.opentelemetry.io/otel" // its API does nothing while no room makes traces
)

// temporalServer is the engine. Whatever imports it weighs 150 MB, so one room does.
const temporalServer = "go.temporal.io/server"

// pureRooms hold the rules of the field.
func pureRooms() []string {
	return []string{
		"action", "alert", "approval", "asset", "authority", "calendar", "change", "changecalendar", "delivery", "encryption", "escalation", "freeze", "handover", "heartbeat", "incident", "jsonsize", "link", "oncall", "period",
		"plan", "planrun", "posting", "priority", "problem", "raci", "reach", "request", "retention", "response", "review", "risk", "routine", "runbook", "signature", "silence", "supportplan", "ticket",
		"timeline", "twiml", "usage", "visit",
	}
}

// adapterRooms reach one outside system each; inmem stands in for all of them. outbound and wholefile are what several
// of them stand on: one way out to the network, one way to write a file.
func adapterRooms() map[string][]string {
	return map[string][]string{
		"bucket":      {"gocloud.dev"},
		"console":     nil,
		"github":      nil,
		"inmem":       nil,
		"jira":        nil,
		"localpage":   nil,
		"localreport": nil,
		"localticket": nil,
		"outbound":    {retries, telemetry + "/trace", telemetry + "/attribute", telemetry + "/codes"},
		"pagerduty":   nil,
		"postgres":    {"github.com/jackc/pgx"},
		"preset":      {yaml},
		"runner":      nil,
		"servicenow":  nil,
		"slack":       nil,
		"smtp":        {"github.com/wneessen/go-mail"},
		"statuspage":  nil,
		"twilio":      nil,
		"webhook":     {retries},
		"wholefile":   nil,
	}
}

// rooms is the import rule of the design as a table: each folder, and what it may import. A folder that is not here
// has no place in the house yet.
func rooms() map[string]room {
	all := map[string]room{
		".": {may: []string{"internal/process", "internal/metrics"}},
		// process hands the CLI what only a whole program can do, as functions.
		"internal/process": {may: []string{
			"starter/cli", "starter/api", "worker", "internal/node", "internal/demo", "internal/bench",
			"internal/org", "internal/postgres", "internal/metrics", "internal/report", "internal/runbook", "internal/runner", "templates",
		}, only: []string{"."}},

		"workflows":  {may: []string{"activities", pure, sdkWorkflow, sdkTemporal, apiEnums}},
		"activities": {may: []string{pure, "internal/report", "internal/bundle", sdkActivity, sdkTemporal}},
		"worker": {may: []string{
			"workflows", "activities", adapters, "internal/org", "internal/audit", "internal/bundle",
			"internal/report", "internal/condition", "internal/tickethook", pure, temporalSDK, temporalAPI,
		}},
		"templates": {},
		"examples":  {},

		"starter":          {may: []string{"workflows", pure, temporalSDK, temporalAPI, "golang.org/x/sync"}},
		"starter/ingest":   entry("golang.org/x/time", "golang.org/x/text", "github.com/emersion/go-smtp"),
		"starter/callback": entry("internal/tickethook"),
		"starter/console":  entry("internal/oidc", "templates", telemetry+"/trace", telemetry+"/attribute"),
		"starter/api":      entry("internal/keyring", "internal/wholefile", "templates", yaml, telemetry+"/trace", telemetry+"/attribute"),
		"starter/cli": {may: []string{
			// of the intake it asks only what it would make of alerts
			"starter/api", "starter/ingest", "internal/org", "internal/audit", "internal/bundle", "internal/bucket", "internal/preview", "internal/report", "internal/refusal",
			"internal/wholefile", "internal/keyring", pure,
			"github.com/spf13/cobra", "github.com/jedib0t/go-pretty", "golang.org/x/term", yaml,
		}},

		"internal/org": {may: []string{
			pure, "templates", "internal/condition", "internal/report", yaml, "github.com/rickar/cal/v2", "github.com/arran4/golang-ical",
			"github.com/yuin/goldmark",
		}},
		"internal/condition": {may: []string{pure, "templates", "cel.dev/cel-go"}},
		"internal/report": {may: []string{
			pure, "templates", "internal/report", "github.com/Masterminds/sprig/v3", "github.com/yuin/goldmark", "github.com/signintech/gopdf",
			"golang.org/x/text",
		}},
		"internal/bundle": {may: []string{pure, "templates", "internal/wholefile", "golang.org/x/mod"}},
		"internal/store":  {may: []string{pure, "templates", "modernc.org/sqlite", "internal/postgres"}},
		"internal/codec":  {may: []string{pure, temporalSDK + "/converter", temporalAPI, "google.golang.org/protobuf", "google.golang.org/grpc"}},
		"internal/oidc":   {may: []string{pure, "github.com/coreos/go-oidc", "golang.org/x/oauth2"}},

		"internal/audit":   {may: []string{"internal/bundle", "workflows", pure, temporalSDK, temporalAPI}},
		"internal/preview": {may: []string{"activities", "internal/org", pure}},

		"internal/keyring":  {may: []string{pure, "internal/wholefile"}},
		"internal/refusal":  {may: []string{pure}},
		"internal/throttle": {may: []string{"golang.org/x/time"}},
		// tickethook reads what is sent; that a webhook signs as Muster's own do is known there.
		"internal/tickethook": {may: []string{pure, "internal/org", "internal/webhook"}},
		"internal/metrics":    {may: []string{"github.com/prometheus", temporalSDK + "/client"}},
		"internal/trace":      {may: []string{telemetry, temporalSDK}, only: []string{"internal/node"}},
		"internal/selfwatch": {may: []string{
			"internal/metrics", temporalSDK + "/client", sdkTemporal, temporalSDK + "/converter", temporalAPI,
		}},
		// contract stands beside the adapters, for their tests.
		"internal/contract": {may: []string{pure, "internal/outbound", "github.com/google/go-cmp", "pgregory.net/rapid"}},

		"internal/devserver": {may: []string{
			pure, temporalServer, temporalAPI, temporalSDK, "github.com/temporalio/ui-server", "google.golang.org",
			"modernc.org/sqlite", "github.com/google/uuid", "github.com/labstack/echo",
			"internal/datalock", "internal/postgres", "internal/wholefile", "github.com/jmoiron/sqlx", "github.com/iancoleman/strcase", "golang.org/x/mod",
		}, only: []string{"internal/node", "internal/bench", "internal/acceptance"}},
		"internal/node": {may: []string{
			"internal/devserver", "worker", "starter", entries, "starter/cli", "internal/org", "internal/store",
			"internal/datalock", "internal/keyring", "internal/codec", "internal/throttle", "internal/refusal", "internal/oidc",
			"internal/report", "templates", "internal/metrics", "internal/trace", "internal/selfwatch", "internal/audit", "internal/bundle", "activities", "workflows", "examples",
			pure, adapters, temporalSDK, temporalAPI,
		}, only: []string{"internal/process", "internal/demo", "internal/bench", "internal/acceptance"}},

		// What stands on top of everything. Only the program starts it.
		"internal/demo":       {may: []string{anything}, only: []string{"internal/process"}},
		"internal/bench":      {may: []string{anything}, only: []string{"internal/process"}},
		"internal/acceptance": {may: []string{anything}, only: []string{"."}},
	}
	addRules(all)
	return all
}

// addRules adds the rooms of the rules and of the adapters.
func addRules(all map[string]room) {
	all["internal/layout"], all["internal/postgrestest"] = room{}, room{} // for tests
	all["internal/datalock"] = room{}
	for _, name := range pureRooms() {
		all["internal/"+name] = room{group: pure, may: []string{pure}}
	}
	for name, own := range adapterRooms() {
		all["internal/"+name] = room{group: adapters, may: append([]string{pure, "templates", "internal/outbound", "internal/wholefile", "internal/contract"}, own...)}
	}
}

// entry is a way in: alert intake, callbacks, REST API, pages.
func entry(own ...string) room {
	return room{group: entries, may: append([]string{
		"starter", "internal/org", "internal/store", "internal/throttle", "internal/report", "internal/audit", "internal/refusal", pure,
	}, own...)}
}

// find returns the room of a folder. A folder below an internal room, such as a command for a test, has the room of
// the nearest folder above it.
func find(dir string) (room, bool) {
	all := rooms()
	for dir != "." {
		if r, ok := all[dir]; ok {
			return r, true
		}
		if !strings.HasPrefix(dir, "internal/") {
			return room{}, false
		}
		above, _, ok := cutLast(dir, "/")
		if !ok || above == "internal" {
			return room{}, false
		}
		dir = above
	}
	return all["."], true
}

// cutLast cuts s around the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// allows tells whether a room may import a package of this module, given by its folder.
func (r room) allows(from, dir string) bool {
	target, known := find(dir)
	if !known {
		return false
	}
	if len(target.only) > 0 && !slices.Contains(target.only, top(from)) {
		return false
	}
	return slices.ContainsFunc(r.may, func(m string) bool {
		return m == anything || m == dir || m == top(dir) || (target.group != "" && m == target.group)
	})
}

// top returns the folder that holds the room: internal/x for internal/x/y/z.
func top(dir string) string {
	parts := strings.Split(dir, "/")
	if parts[0] == "internal" && len(parts) > 2 {
		return strings.Join(parts[:2], "/")
	}
	return dir
}

// allowsLibrary tells whether a room may import a package from outside the module.
func (r room) allowsLibrary(name string) bool {
	if below(temporalServer, name) && !slices.Contains(r.may, temporalServer) {
		return false
	}
	return slices.ContainsFunc(r.may, func(m string) bool { return m == anything || below(m, name) })
}

// below tells whether the package path name is lib or stands below it.
func below(lib, name string) bool {
	return name == lib || strings.HasPrefix(name, lib+"/")
}

// testLibraries serve tests everywhere. The bigger ones may be used by tests of rooms that are not pure.
func testLibraries(group string) []string {
	libs := []string{"pgregory.net/rapid", "github.com/google/go-cmp"}
	if group == pure {
		return libs
	}
	return append(libs,
		"github.com/rogpeppe/go-internal", "github.com/emersion/go-smtp", "github.com/emersion/go-sasl", "github.com/prometheus", yaml,
		temporalSDK, temporalAPI, "google.golang.org/protobuf", "google.golang.org/grpc", "github.com/santhosh-tekuri/jsonschema", "go.opentelemetry.io/proto",
	)
}
