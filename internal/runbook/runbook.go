// Package runbook holds procedures: steps to an outcome, or to a cause, and where one run of them stands. It runs nothing,
// reads no clock and knows no secret.
package runbook

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/calendar"
)

// Kind tells steps to an outcome from steps to a cause.
type Kind string

// The kinds. These strings are in histories: add, never rename.
const (
	Procedure     Kind = "runbook"
	Investigation Kind = "playbook"
)

// A Runbook is a procedure as it is written down.
type Runbook struct {
	ID            string        `json:"id"` // as people write it, such as RUN001
	Kind          Kind          `json:"kind"`
	Title         string        `json:"title"`
	Description   string        `json:"description"` // what it is for, and its outcome
	Tools         string        `json:"tools"`
	Permissions   string        `json:"permissions"` // special ones
	Author        string        `json:"author"`
	Updated       calendar.Date `json:"updated,omitzero"`
	Escalation    string        `json:"escalation"`              // whom to ask when it does not work
	Stakeholders  string        `json:"stakeholders,omitempty"`  // of a playbook
	Communication string        `json:"communication,omitempty"` // of a playbook: how updates are told during the investigation
	ReviewBy      calendar.Date `json:"review_by,omitzero"`
	Parameters    []Parameter   `json:"parameters,omitempty"`
	Steps         []Step        `json:"steps"`
	Causes        []Cause       `json:"causes,omitempty"` // that a playbook can find
	Notes         string        `json:"notes,omitempty"`  // Markdown: error handling, exceptions and whatever else is to be known
}

// A Parameter is what whoever starts a run has to say. Steps name it as {{param ID}}.
type Parameter struct {
	ID          string `json:"id"`
	Description string `json:"description"`
}

// A Cause is what a playbook can find, and the runbook against it.
type Cause struct {
	Text    string `json:"text"`
	Runbook string `json:"runbook,omitempty"` // its ID; empty: escalate
}

// A Step is done by a person, or by a runner where it is automatic.
type Step struct {
	Number    int        `json:"number"` // 1, 2, 3 …
	Text      string     `json:"text"`   // Markdown
	Automatic *Automatic `json:"automatic,omitempty"`
}

// The runners.
const (
	ByHTTP    = "http"
	ByCommand = "command"
)

// Shell is what runs the script of a command that asks for a shell.
const Shell = "/bin/sh"

// Automatic is what a runner does for a step, once. Secrets stand in it by name only, as {{secret NAME}}.
type Automatic struct {
	Runner      string        `json:"runner"`
	HTTP        HTTP          `json:"http,omitzero"`
	Command     []string      `json:"command,omitempty"` // the program with its whole path, and its arguments
	Shell       bool          `json:"shell,omitempty"`   // Command is one script for Shell
	Environment []Pair        `json:"environment,omitempty"`
	Secrets     []string      `json:"secrets,omitempty"` // names of those that it needs
	Timeout     time.Duration `json:"timeout"`
	Output      int           `json:"output"` // bytes of it that are kept
	Expect      Expect        `json:"expect"`
}

// HTTP is a request.
type HTTP struct {
	Method  string   `json:"method"`
	URL     string   `json:"url"`
	Headers []Header `json:"headers,omitempty"`
	Body    string   `json:"body,omitempty"`
}

// A Header is one line of a request's header.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Pair is one variable of a command's environment.
type Pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Expect says which result is a success.
type Expect struct {
	From int    `json:"from"`          // lowest status or exit code
	To   int    `json:"to"`            // highest
	Has  string `json:"has,omitempty"` // text that must stand in the output
}

// Met tells whether a status or exit code is a success.
func (e Expect) Met(code int) bool { return e.From <= code && code <= e.To }

// State is what a result says of a step.
type State string

// The states of a result. These strings are in histories: add, never rename.
const (
	Passed  State = "passed"
	Failed  State = "failed"
	Unknown State = "unknown" // it may have happened or not
)

// A Result is what has come of one attempt. Secrets in the output are masked.
type Result struct {
	State  State         `json:"state"`
	Exit   int           `json:"exit,omitempty"`   // of a command; -1 when a signal has ended it
	Status int           `json:"status,omitempty"` // of an HTTP answer
	Output string        `json:"output,omitempty"` // its beginning
	SHA256 string        `json:"sha256,omitempty"` // of the whole output, masked, in hex
	Size   int64         `json:"size,omitempty"`   // of the whole output, masked, in bytes
	Took   time.Duration `json:"took,omitempty"`
	Detail string        `json:"detail,omitempty"` // why it is no success
}

// The most that a runbook may have of each: all of it stands in the state of a run.
const (
	MaxSteps      = 100
	MaxText       = 4_000     // bytes of one text
	MaxOutput     = 64 << 10  // bytes kept of the output of one step
	maxAllOutputs = 128 << 10 // of all steps together
	MaxBody       = 16 << 10  // bytes of a body or a script
	maxNotes      = 32 << 10
	MaxTimeout    = 24 * time.Hour
	maxItems      = 50
)

// Shown is what the runbook is called in faults.
func (r Runbook) Shown() string { return strings.TrimSpace(string(r.Kind) + " " + r.ID) }

// Check returns every rule that the runbook breaks.
func (r Runbook) Check() (broken []error) {
	fault := func(format string, args ...any) {
		broken = append(broken, fmt.Errorf("%s: %s", r.Shown(), fmt.Sprintf(format, args...)))
	}
	if !ValidID(r.ID) {
		fault("id: want letters, digits and hyphens, at most 63, such as RUN001")
	}
	if r.Kind != Procedure && r.Kind != Investigation {
		fault("kind %q: want runbook or playbook", r.Kind)
	}
	for _, f := range r.header() {
		switch {
		case strings.TrimSpace(f.Value) == "":
			fault("%s: missing", f.Name)
		case len(f.Value) > MaxText:
			fault("%s: %d bytes; want %d at most", f.Name, len(f.Value), MaxText)
		}
	}
	if r.Updated == 0 {
		fault("last updated: missing")
	}
	if r.Kind == Procedure && len(r.Causes) > 0 {
		fault("causes: want none; only a playbook looks for causes")
	}
	for _, c := range r.Causes {
		if strings.TrimSpace(c.Text) == "" {
			fault("causes: one without text")
		}
	}
	for n, p := range r.Parameters {
		switch {
		case !validName(p.ID):
			fault("parameter %q: want lower-case letters, digits, hyphens and underscores, at most 63, such as host", p.ID)
		case slices.ContainsFunc(r.Parameters[:n], func(q Parameter) bool { return q.ID == p.ID }):
			fault("parameter %s: declared twice", p.ID)
		}
	}
	if len(r.Notes) > maxNotes {
		fault("notes: %d bytes; want %d at most", len(r.Notes), maxNotes)
	}
	if len(r.Parameters) > maxItems || len(r.Causes) > maxItems {
		fault("%d parameters, %d causes; want at most %d of each", len(r.Parameters), len(r.Causes), maxItems)
	}
	return append(broken, r.checkSteps()...)
}

// header returns the fields that must have text, in the order in which they are written.
func (r Runbook) header() []Pair {
	all := []Pair{
		{"title", r.Title},
		{"description", r.Description},
		{"tools used", r.Tools},
		{"special permissions", r.Permissions},
		{"author", r.Author},
		{"escalation POC", r.Escalation},
	}
	if r.Kind == Investigation {
		all = append(all, Pair{"stakeholders", r.Stakeholders}, Pair{"communication plan", r.Communication})
	}
	return all
}

func (r Runbook) checkSteps() (broken []error) {
	fault := func(format string, args ...any) {
		broken = append(broken, fmt.Errorf("%s: %s", r.Shown(), fmt.Sprintf(format, args...)))
	}
	if len(r.Steps) == 0 || len(r.Steps) > MaxSteps {
		fault("%d steps; want 1 to %d", len(r.Steps), MaxSteps)
	}
	outputs := 0
	for n, s := range r.Steps {
		if s.Number != n+1 {
			fault("step %d: want the number %d", s.Number, n+1)
		}
		for _, err := range r.CheckStep(s) {
			fault("step %d: %s", s.Number, err)
		}
		if s.Automatic != nil {
			outputs += s.Automatic.Output
		}
	}
	if outputs > maxAllOutputs {
		fault("outputs: %d bytes kept of all steps together; want at most %d", outputs, maxAllOutputs)
	}
	return broken
}

// CheckStep returns every rule that a step breaks.
func (r Runbook) CheckStep(s Step) (broken []error) {
	return append(r.CheckText(s.Text), r.CheckAutomatic(s.Automatic)...)
}

// CheckText returns every rule that the text of a step breaks.
func (r Runbook) CheckText(text string) (broken []error) {
	switch {
	case strings.TrimSpace(text) == "":
		broken = append(broken, errors.New("text: missing; want what the step is for"))
	case len(text) > MaxText:
		broken = append(broken, fmt.Errorf("text: %d bytes; want %d at most", len(text), MaxText))
	}
	used, wrong := placeholders(text)
	broken = append(broken, wrong...)
	var parameters []string
	for _, p := range used {
		if p.kind == secret {
			broken = append(broken, fmt.Errorf("secret %s in the text of a step: want it in an automatic step only", p.name))
		} else {
			parameters = append(parameters, p.name)
		}
	}
	return append(broken, r.declared(parameters)...)
}

// CheckAutomatic returns every rule that what a runner does for a step breaks; a manual step breaks none.
func (r Runbook) CheckAutomatic(a *Automatic) []error {
	if a == nil {
		return nil
	}
	parameters, _ := a.Names()
	return append(a.Check(), r.declared(parameters)...)
}

func (r Runbook) declared(parameters []string) (broken []error) {
	for n, name := range parameters {
		known := slices.ContainsFunc(r.Parameters, func(p Parameter) bool { return p.ID == name })
		if !known && !slices.Contains(parameters[:n], name) {
			broken = append(broken, fmt.Errorf("parameter %s: not declared; want it in the table of parameters", name))
		}
	}
	return broken
}

// Check returns every rule that an automatic step breaks.
func (a *Automatic) Check() (broken []error) {
	fault := func(format string, args ...any) { broken = append(broken, fmt.Errorf(format, args...)) }
	for _, t := range a.texts() {
		_, wrong := placeholders(*t.text)
		broken = append(broken, wrong...)
	}
	if len(broken) > 0 {
		return broken
	}
	switch a.Runner {
	case ByHTTP:
		broken = append(broken, a.checkHTTP()...)
	case ByCommand:
		broken = append(broken, a.checkCommand()...)
	default:
		fault("runner %q: want %s or %s", a.Runner, ByHTTP, ByCommand)
	}
	if a.Timeout < time.Second || a.Timeout > MaxTimeout {
		fault("timeout %s: want 1s to 24h", a.Timeout)
	}
	if a.Output < 1 || a.Output > MaxOutput {
		fault("output %d: want 1 to %d bytes", a.Output, MaxOutput)
	}
	if a.Expect.From > a.Expect.To {
		fault("expect %d..%d: want the lower one first", a.Expect.From, a.Expect.To)
	}
	if len(a.Expect.Has) > MaxText {
		fault("has: %d bytes; want %d at most", len(a.Expect.Has), MaxText)
	}
	if _, used := a.Names(); !slices.Equal(used, a.Secrets) {
		fault("secrets: got %q, want those that it names, %q", strings.Join(a.Secrets, " "), strings.Join(used, " "))
	}
	return broken
}

func (a *Automatic) checkHTTP() (broken []error) {
	fault := func(format string, args ...any) { broken = append(broken, fmt.Errorf(format, args...)) }
	h := a.HTTP
	if !slices.Contains(Methods(), h.Method) {
		fault("method %q: want %s", h.Method, strings.Join(Methods(), ", "))
	}
	if strings.ContainsFunc(bare(h.URL), func(r rune) bool { return r <= ' ' || r == '#' || r >= 0x7f }) {
		fault("URL: want one without spaces, # and letters beyond ASCII: write them as %%20, %%23 and so on")
	} else if _, _, ok := h.Host(); !ok {
		fault("URL: want one that begins with https:// or http:// and a host that is written out, without a placeholder, user or password")
	}
	if len(h.URL) > MaxText || len(h.Body) > MaxBody || len(h.Headers) > maxItems {
		fault("URL of %d bytes, %d headers, body of %d bytes; want at most %d, %d and %d", len(h.URL), len(h.Headers), len(h.Body), MaxText, maxItems, MaxBody)
	}
	for _, each := range h.Headers {
		switch lower := strings.ToLower(each.Name); {
		case !token(each.Name):
			fault("header %q: want a name of letters, digits and hyphens", each.Name)
		case slices.Contains([]string{"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"}, lower):
			fault("header %s: want none; it is set by the runner", each.Name)
		case strings.ContainsFunc(each.Value, control) || len(each.Value) > MaxText:
			fault("header %s: want a value on one line, of at most %d bytes", each.Name, MaxText)
		}
	}
	if len(a.Command) > 0 || a.Shell || len(a.Environment) > 0 {
		fault("want a request only, without command and environment")
	}
	if a.Expect.From < 100 || a.Expect.To > 599 {
		fault("expect %d..%d: want statuses from 100 to 599", a.Expect.From, a.Expect.To)
	}
	return broken
}

// Host returns the host and port that the request goes to, and no where that is not a plain name and number.
func (h HTTP) Host() (host, port string, ok bool) {
	scheme, rest, _ := strings.Cut(h.URL, "://")
	switch scheme {
	case "https":
		port = "443"
	case "http":
		port = "80"
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, named, has := strings.Cut(rest[:end], ":")
	if has {
		port = named
	}
	ok = port != "" && len(port) <= 5 && strings.Trim(port, digits) == "" && host != "" && strings.Trim(host, letters+digits+".-") == ""
	return strings.ToLower(host), port, ok && (scheme == "https" || scheme == "http")
}

// Methods lists the methods of requests.
func Methods() []string { return []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} }

func (a *Automatic) checkCommand() (broken []error) {
	fault := func(format string, args ...any) { broken = append(broken, fmt.Errorf(format, args...)) }
	switch {
	case len(a.Command) == 0 || strings.TrimSpace(a.Command[0]) == "":
		fault("command: missing")
	case a.Shell && len(a.Command) != 1:
		fault("command: want one script for the shell")
	case !a.Shell && (!strings.HasPrefix(a.Command[0], "/") || strings.Contains(a.Command[0], "{{")):
		fault("program %q: want its whole path, such as /usr/bin/kubectl, written out", a.Command[0])
	}
	if len(a.Command) > maxItems || len(a.Environment) > maxItems {
		fault("%d arguments, %d variables; want at most %d of each", len(a.Command), len(a.Environment), maxItems)
	}
	for _, word := range a.Command {
		if len(word) > MaxBody || strings.Contains(word, "\x00") {
			fault("argument of %d bytes: want at most %d, without NUL", len(word), MaxBody)
		}
		used, _ := placeholders(word)
		for _, p := range used {
			switch {
			case a.Shell:
				fault(`%s %s in a script: a shell would read it as commands; want env.NAME="{{%s %s}}" beside shell, and "$NAME" in the script`,
					p.kind.word(), p.name, p.kind, p.name)
			case p.kind == secret:
				fault(`secret %s in an argument: everybody on the machine sees arguments; want env.NAME="{{secret %s}}" beside command`, p.name, p.name)
			}
		}
	}
	for n, v := range a.Environment {
		switch {
		case !ValidVariable(v.Name):
			fault("variable %q: want letters, digits and _, such as TARGET_HOST", v.Name)
		case slices.ContainsFunc(a.Environment[:n], func(w Pair) bool { return w.Name == v.Name }):
			fault("variable %s: set twice", v.Name)
		case len(v.Value) > MaxText || strings.Contains(v.Value, "\x00"):
			fault("variable %s: want at most %d bytes, without NUL", v.Name, MaxText)
		}
	}
	if a.HTTP.Method != "" || a.HTTP.URL != "" || len(a.HTTP.Headers) > 0 || a.HTTP.Body != "" {
		fault("want a command only, without a request")
	}
	if a.Expect.From < 0 || a.Expect.To > 255 {
		fault("exit %d..%d: want codes from 0 to 255", a.Expect.From, a.Expect.To)
	}
	return broken
}

// Program is what has to be allowed for a command.
func (a *Automatic) Program() string {
	switch {
	case a.Shell:
		return Shell
	case len(a.Command) == 0:
		return ""
	}
	return a.Command[0]
}

// ValidID tells whether a text can be the ID of a runbook.
func ValidID(s string) bool {
	return len(s) <= 63 && s != "" && s[0] != '-' && strings.Trim(s, letters+digits+"-") == ""
}

// ValidVariable tells whether a text can name a variable of an environment.
func ValidVariable(s string) bool {
	return s != "" && len(s) <= 63 && !strings.Contains(digits, s[:1]) && strings.Trim(s, letters+digits+"_") == ""
}

const (
	small   = "abcdefghijklmnopqrstuvwxyz"
	letters = small + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
)

// validName tells whether a text can name a parameter or a secret.
func validName(s string) bool {
	return s != "" && len(s) <= 63 && strings.Contains(small+digits, s[:1]) && strings.Trim(s, small+digits+"-_") == ""
}

func token(s string) bool {
	return s != "" && len(s) <= 100 && strings.Trim(s, letters+digits+"-") == ""
}

func control(r rune) bool { return r < ' ' || r == 0x7f }
