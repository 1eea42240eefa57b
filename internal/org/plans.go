package org

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"muster/internal/authority"
	"muster/internal/condition"
	"muster/internal/plan"
	"muster/templates"
)

// plansFolder is where an organisation's own plans stand, one in each file.
const plansFolder = "plans"

// planFile is what the schema of such a file is called.
const planFile = "plan.yaml"

// A Plan is a plan as it was read, with what pins it.
type Plan struct {
	Definition plan.Definition `json:"definition"`
	SHA256     string          `json:"sha256"` // of the bytes that were read
	File       string          `json:"file"`
	Shipped    bool            `json:"shipped,omitempty"` // with Muster
}

// ReadPlan reads a plan that somebody brings. Its error is a *Refusal with every fault of it.
func ReadPlan(file string, content []byte) (Plan, error) {
	p, _, faults := readPlan(file, content)
	if len(faults) > 0 {
		return Plan{}, &Refusal{Plan: file, Faults: sorted(faults)}
	}
	return p, nil
}

// ReadPlanFile is ReadPlan of a file on this machine.
func ReadPlanFile(path string) (Plan, error) {
	content, _, err := readRegular(path, maxFile)
	if err != nil {
		return Plan{}, fmt.Errorf("read plan %s: %w", path, unwrapPath(err))
	}
	return ReadPlan(path, content)
}

// readPlan reads a plan, and says where its ID stands.
func readPlan(file string, content []byte) (Plan, place, []Fault) {
	if len(content) > maxFile {
		return Plan{}, place{}, []Fault{{File: file, Text: fmt.Sprintf("%d bytes; want %d at most", len(content), maxFile)}}
	}
	n, faults := parse(file, content)
	if len(faults) > 0 && n.kind == absent {
		return Plan{}, place{}, faults
	}
	r := newPlanReader(&reader{faults: faults, tables: map[string]*table{}})
	r.object(n, "plan", r.read)
	var at place
	if r.top != nil {
		at = r.top.field("id").place
	}
	if len(r.faults) > 0 {
		return Plan{Definition: r.d}, at, r.faults
	}
	if err := hashTasks(&r.d); err != nil {
		r.fault(n.place, "%s", err)
	}
	sum := sha256.Sum256(content)
	return Plan{Definition: r.d, SHA256: hex.EncodeToString(sum[:]), File: file}, at, r.faults
}

// hashTasks gives every task the SHA-256 over its canonical JSON without that field.
func hashTasks(d *plan.Definition) error {
	for n := range d.Phases {
		tasks := d.Phases[n].Tasks
		for n := range tasks {
			tasks[n].SHA256 = ""
			sum, err := hashOf(tasks[n])
			if err != nil {
				return fmt.Errorf("hash task %s: %w", tasks[n].ID, err)
			}
			tasks[n].SHA256 = sum
		}
	}
	return nil
}

// A planReader reads one plan. Names that it gives to its own things are no others' names.
type planReader struct {
	*reader

	d     plan.Definition
	top   *object
	tasks map[string]*object
	wrong map[string]bool // tasks with faults: what a rule says of those would only confuse
	frame map[string]bool // keys beside the tasks, likewise
	loose map[string]bool // tasks of which nobody can say what they are, or what they wait for
	task  string          // the one that is being read
	told  map[string]bool // tasks that say what they need
	later []func()        // what can be checked only when all tasks are read
}

func newPlanReader(r *reader) *planReader {
	return &planReader{reader: r, tasks: map[string]*object{}, wrong: map[string]bool{}, frame: map[string]bool{}, loose: map[string]bool{}, told: map[string]bool{}}
}

// The forms of what stands around tasks.
var (
	aPlanKind      = oneOf(plan.Kinds()...)
	aParameterType = oneOf(plan.ParameterTypes()...)
	aPlanParty     = oneOf(authority.PartyKinds()...)
)

// The most that a plan may have of each.
const (
	maxParameters   = 50
	maxRoles        = 50
	maxEnvironments = 10
	maxPhases       = 50
	maxTaskRefs     = 100 // in one list of a task
)

// read reads a whole plan.
func (r *planReader) read(o *object) {
	r.top = o
	if id, ok := need(o, "id", anID); ok {
		r.d.ID, o.subject = id, "plan "+id
	}
	r.d.Kind, _ = need(o, "kind", aPlanKind)
	r.entriesUpTo(o, "parameters", "parameter", optional, maxParameters, r.parameter)
	r.entriesUpTo(o, "roles", "role", some, maxRoles, func(o *object, id string) {
		x := plan.Role{ID: id}
		r.doubt(r.table("role").vague, id, func() { x.Party, _ = need(o, "party", aPlanParty) })
		x.Name = both(o, "name", aName)
		if o.has("filled_by") {
			x.FilledBy, _ = o.ref("filled_by", "parameter")
		}
		r.d.Roles = append(r.d.Roles, x)
	})
	r.doubt(r.frame, "environments", func() {
		r.entriesUpTo(o, "environments", "environment", some, maxEnvironments, func(o *object, id string) {
			e := plan.Environment{ID: id, Name: both(o, "name", aName)}
			r.doubt(r.table("environment").vague, id, func() { e.Production = maybe(o, "production", aTrue, false) })
			r.d.Environments = append(r.d.Environments, e)
		})
	})
	r.d.Name = r.text(o, "name", aName)
	if o.has("description") {
		r.d.Description = r.text(o, "description", aProse)
	}
	r.d.Source, r.d.Apart = maybe(o, "source", aProse, ""), maybe(o, "apart", aTrue, false)
	r.doubt(r.frame, "lead", func() { r.d.Lead, _ = o.ref("lead", "role") })
	o.needed = append(o.needed, "re_plan")
	r.doubt(r.frame, "re_plan", func() { r.d.RePlan = r.vote(o, "re_plan", "") })
	r.entriesUpTo(o, "phases", "phase", some, maxPhases, func(o *object, id string) {
		r.d.Phases = append(r.d.Phases, plan.Phase{ID: id, Name: r.text(o, "name", aName)})
		r.entriesUpTo(o, "tasks", "task", some, plan.MaxTasks, r.readTask)
	})
	r.task = ""
	for _, check := range r.later {
		check()
	}
	if r.asking {
		return
	}
	r.conditions()
	r.d.Chain(func(task string) bool { return r.told[task] })
	r.hold()
}

// doubt remembers of a thing whether what is read is as it was meant.
func (r *planReader) doubt(doubted map[string]bool, thing string, read func()) {
	before := r.trouble()
	read()
	doubted[thing] = doubted[thing] || r.trouble() > before
}

// entriesUpTo is entries of a list that is not that long.
func (r *planReader) entriesUpTo(o *object, key, what string, want size, most int, read func(*object, string)) {
	if n := o.field(key); n.kind == list && len(n.items) > most {
		r.fault(n.place, "%s: a list of %d; want at most %d", o.about(key), len(n.items), most)
		r.table(what).unread = true
		return
	}
	o.entries(key, what, want, read)
}

// both reads a text in both languages, or one that is the same in each.
func both(o *object, key string, f form[string]) plan.Text {
	t := o.words(key, f)
	return plan.Text{En: t.English, Ko: t.Korean}
}

// text reads a text in which {ID} stands for the value of a parameter.
func (r *planReader) text(o *object, key string, f form[string]) plan.Text {
	t := both(o, key, f)
	switch n := o.field(key); n.kind {
	case mapping:
		for _, language := range n.fields {
			r.filled(language.value, o.about(key))
		}
	case text:
		r.filled(n, o.about(key))
	case absent, list, anything:
	}
	return t
}

// filled makes a fault of every {ID} in a text that is no parameter.
func (r *planReader) filled(n node, subject string) {
	known := r.table("parameter")
	for _, name := range placeholders.FindAllString(n.text, -1) {
		id := strings.Trim(name, "{}")
		if _, ok := known.places[id]; !ok && !known.unread {
			r.fault(n.place, "%s: %s: no such parameter; %s", subject, clip(name, 60), r.hint(id, known.ids))
		}
	}
}

// parameter reads what is given at the start.
func (r *planReader) parameter(o *object, id string) {
	x := plan.Parameter{ID: id, Description: both(o, "description", aProse), Optional: maybe(o, "optional", aTrue, false)}
	r.doubt(r.table("parameter").vague, id, func() { x.Type, _ = need(o, "type", aParameterType) })
	for _, n := range o.few("values", maxPairs) {
		v, _ := value(o.reader, n, o.about("values"), aName)
		x.Values = append(x.Values, v)
	}
	o.once("values")
	switch choice := x.Type == plan.ChoiceType; {
	case r.asking:
	case choice && len(x.Values) == 0:
		r.fault(o.place, "%s: values: missing; want what may be chosen", o.subject)
	case !choice && o.has("values"):
		r.fault(o.field("values").place, "%s: values: a %s has none; want type: choice", o.subject, x.Type)
	}
	x.Default = r.standard(o, x)
	r.d.Parameters = append(r.d.Parameters, x)
}

// standard reads what a parameter is when nobody gives it: a list of a list.
func (r *planReader) standard(o *object, x plan.Parameter) (given string) {
	n := o.field("default")
	switch {
	case n.is(list):
		var items []string
		for _, item := range n.all() {
			s, _ := value(o.reader, item, o.about("default"), aListItem)
			items = append(items, s)
		}
		given = strings.Join(items, listSeparator)
		if x.Type != plan.ListType && x.Type != "" {
			r.fault(n.place, "%s: got a list; want one value", o.about("default"))
			return given
		}
	case n.kind == absent:
		return ""
	default:
		given, _ = value(o.reader, n, o.about("default"), aDefault)
	}
	if r.asking || x.Type == "" || x.Type == plan.ChoiceType && len(x.Values) == 0 {
		return given
	}
	if _, want := parseValue(x, given, nil); want != "" {
		r.fault(n.place, "%s %s: want %s", o.about("default"), show(given), want)
	}
	return given
}

var aDefault = in("what stands for the parameter when nobody gives it: one value, or a list of a list", func(s string) (string, bool) { return s, s != "" })

// conditions compiles when of every task: what is wrong with one is told now, and not at a start in half a year.
func (r *planReader) conditions() {
	asked := conditional(&r.d)
	if len(asked) == 0 || !r.named("parameter", len(r.d.Parameters)) || !r.named("environment", len(r.d.Environments)) {
		return
	}
	language, err := condition.OfPlan(&r.d)
	if err != nil {
		r.fault(r.top.place, "%s", err)
		return
	}
	for _, t := range asked {
		_, err := language.Compile(t.When)
		if fault, ok := errors.AsType[*condition.Fault](err); ok {
			o := r.tasks[t.ID]
			r.fault(o.field("when").place, "%s %s: %s", o.about("when"), show(t.When), fault)
			r.wrong[t.ID] = true
		}
	}
}

// named tells whether what conditions ask of is known: so many things of a kind.
func (r *planReader) named(what string, read int) bool {
	t := r.table(what)
	for _, id := range t.ids {
		if t.vague[id] {
			return false
		}
	}
	return !t.unread && len(t.ids) == read && read == len(r.top.field(what+"s").items)
}

// conditional returns the tasks that may be left out.
func conditional(d *plan.Definition) []plan.Task {
	return slices.DeleteFunc(d.All(), func(t plan.Task) bool { return t.When == "" })
}

// hold makes a fault of every rule that the plan breaks, at the place of the task and key that it is about.
func (r *planReader) hold() {
	for _, f := range r.d.CheckBut(r.loose) {
		if r.wrong[f.Task] || f.Task == "" && (r.frame[f.Field] || f.Field == "phases" && len(r.d.All()) == 0) { // that was told
			continue
		}
		o, subject := r.top, r.top.subject+": "
		if f.Task != "" {
			o, subject = r.tasks[f.Task], ""
		}
		at := o.place
		for _, key := range keysOf(f.Field) {
			if n := o.field(key); n.kind != absent {
				at = n.place
				break
			}
		}
		r.fault(at, "%s%s", subject, f)
	}
}

// keysOf are the keys in a file that a fault of a field may be about.
func keysOf(field string) []string {
	switch field {
	case "raci":
		return []string{"responsible", "consulted", "informed", "accountable"}
	case "wait":
		return []string{"for", "until", "window"}
	}
	return []string{field}
}

// taskRef reads the ID of a task, which may stand further down.
func (r *planReader) taskRef(o *object, key string) string {
	id, ok := need(o, key, anIDOf("task"))
	if ok {
		r.taskKnown(o.field(key), o.about(key), id)
	}
	return id
}

// taskRefs reads the IDs of tasks.
func (r *planReader) taskRefs(o *object, key string) (ids []string) {
	for _, n := range o.few(key, maxTaskRefs) {
		if id, ok := value(o.reader, n, o.about(key), anIDOf("task")); ok {
			r.taskKnown(n, o.about(key), id)
			ids = append(ids, id)
		}
	}
	o.once(key)
	return ids
}

func (r *planReader) taskKnown(n node, subject, id string) {
	task := r.task
	r.later = append(r.later, func() {
		if !r.knows(n.place, subject, "task", id) {
			r.wrong[task] = true
		}
	})
}

// readWork reads the plans of the folder.
func (b *builder) readWork() {
	for _, file := range planFiles(b.files) {
		if b.files[file] == nil { // a fault has been told
			b.table("plan").unread = true
			continue
		}
		p, at, faults := readPlan(file, b.files[file])
		b.faults = append(b.faults, faults...)
		switch id := p.Definition.ID; {
		case id == "": // nobody knows which one it was to be
			b.table("plan").unread = true
			continue
		case len(faults) == 0:
			b.work[id] = p
		default:
			b.table("plan").vague[id] = true
		}
		b.define(at, "plan: id", "plan", p.Definition.ID)
	}
}

// Plans returns the plans that can be run, in the order of their IDs: the organisation's own, and those that come with Muster,
// unless the organisation has one of the same ID.
func (o *Organisation) Plans() []Plan {
	all := slices.Collect(maps.Values(o.work))
	return inOrder(append(all, slices.DeleteFunc(ShippedPlans(), func(p Plan) bool {
		_, own := o.work[p.Definition.ID]
		return own
	})...))
}

func inOrder(all []Plan) []Plan {
	slices.SortFunc(all, func(a, b Plan) int { return strings.Compare(a.Definition.ID, b.Definition.ID) })
	return all
}

// PlanOf returns one of the plans.
func (o *Organisation) PlanOf(id string) (Plan, error) { return PlanAmong(o.Plans(), id) }

// PlanAmong returns the one with an ID.
func PlanAmong(plans []Plan, id string) (Plan, error) {
	var ids []string
	for _, p := range plans {
		if ids = append(ids, p.Definition.ID); p.Definition.ID == id {
			return p, nil
		}
	}
	return Plan{}, fmt.Errorf("plan %s: no such plan; %s", show(id), hint(id, ids))
}

// ShippedPlans returns the plans that come with Muster, in the order of their IDs.
func ShippedPlans() []Plan { return slices.Clone(shipped()) }

// ShippedPlanText returns the file of such a plan, to start from.
func ShippedPlanText(id string) ([]byte, error) {
	p, err := PlanAmong(shipped(), id)
	if err != nil {
		return nil, err
	}
	return templates.FS.ReadFile(p.File)
}

// shipped reads what is embedded. A test wants all of it without fault.
var shipped = sync.OnceValue(func() (all []Plan) {
	files, _ := fs.Glob(templates.FS, path.Join(plansFolder, "*.yaml"))
	for _, file := range files {
		content, _ := templates.FS.ReadFile(file)
		p, _, faults := readPlan(file, content)
		if p.Shipped = true; len(faults) == 0 {
			all = append(all, p)
		}
	}
	return inOrder(all)
})
