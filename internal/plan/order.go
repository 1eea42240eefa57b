package plan

import "slices"

// Before returns the tasks that have ended when a task begins, in the order of the plan: what it needs, and what those need.
func (d *Definition) Before(id string) []string {
	g := d.graph()
	n, ok := g.index[id]
	if !ok {
		return []string{}
	}
	return g.before(n)
}

// A graph is the tasks of a plan with what each needs, by number.
type graph struct {
	tasks []Task
	index map[string]int
	needs [][]int // without what is not there
}

func (d *Definition) graph() graph {
	g := graph{tasks: d.All(), index: map[string]int{}}
	for n := range g.tasks {
		g.index[g.tasks[n].ID] = n
	}
	g.needs = make([][]int, len(g.tasks))
	for n := range g.tasks {
		for _, id := range g.tasks[n].Needs {
			if m, ok := g.index[id]; ok {
				g.needs[n] = append(g.needs[n], m)
			}
		}
	}
	return g
}

// back goes through all that comes before a task, each once and no further than where stop says so.
func (g graph) back(from int, stop func(n int) bool) (seen []bool) {
	seen = make([]bool, len(g.tasks))
	var visit func(n int)
	visit = func(n int) {
		for _, m := range g.needs[n] {
			if !seen[m] {
				if seen[m] = true; !stop(m) {
					visit(m)
				}
			}
		}
	}
	visit(from)
	return seen
}

func (g graph) before(n int) []string {
	before := []string{}
	for m, is := range g.back(n, func(int) bool { return false }) {
		if is {
			before = append(before, g.tasks[m].ID)
		}
	}
	return before
}

// Gates returns the votes that let a task begin: the last ones before it, whatever else stands between.
func (d *Definition) Gates(id string) []string {
	gates, seen := []string{}, []string{}
	var visit func(id string)
	visit = func(id string) {
		t, _ := d.Task(id)
		for _, n := range t.Needs {
			if slices.Contains(seen, n) {
				continue
			}
			seen = append(seen, n)
			if g, _ := d.Task(n); g.Vote != nil {
				gates = append(gates, n)
				continue
			}
			visit(n)
		}
	}
	visit(id)
	return d.ordered(gates)
}

// Following returns the tasks that wait for a task, directly or not, in the order of the plan.
func (d *Definition) Following(id string) []string {
	found := []string{id}
	for more := true; more; { // needs may point forward in the file
		more = false
		for _, t := range d.All() {
			if !slices.Contains(found, t.ID) && slices.ContainsFunc(t.Needs, func(n string) bool { return slices.Contains(found, n) }) {
				found, more = append(found, t.ID), true
			}
		}
	}
	return d.ordered(found[1:])
}

func (d *Definition) ordered(ids []string) []string {
	all := []string{}
	for _, t := range d.All() {
		if slices.Contains(ids, t.ID) {
			all = append(all, t.ID)
		}
	}
	return all
}

// cycle returns tasks that wait for each other, nil where no others than those that are known do.
func (d *Definition) cycle(known map[string]bool) []string {
	const (
		fresh = iota
		open
		done
	)
	tasks := d.All()
	index := func(id string) int { return slices.IndexFunc(tasks, func(t Task) bool { return t.ID == id }) }
	state := make([]int, len(tasks))
	var path []string
	var visit func(n int) []string
	visit = func(n int) []string {
		state[n] = open
		path = append(path, tasks[n].ID)
		for _, id := range tasks[n].Needs {
			switch m := index(id); {
			case m < 0:
			case state[m] == open:
				return slices.Clone(path[slices.Index(path, id):])
			case state[m] == fresh:
				if found := visit(m); found != nil {
					return found
				}
			}
		}
		state[n], path = done, path[:len(path)-1]
		return nil
	}
	for n := range tasks {
		if known[tasks[n].ID] {
			state[n] = done
		}
	}
	for n := range tasks {
		if state[n] == fresh {
			if found := visit(n); found != nil {
				return found
			}
		}
	}
	return nil
}

// Chain gives every task of a phase that does not say what it needs the last tasks of the phase before: those for which nothing in
// that phase waits. Told says of which tasks it was said.
func (d *Definition) Chain(told func(task string) bool) {
	var last []string
	for p := range d.Phases {
		tasks := d.Phases[p].Tasks
		for n := range tasks {
			if !told(tasks[n].ID) {
				tasks[n].Needs = slices.Clone(last)
			}
		}
		var ends []string
		for _, t := range tasks {
			if !slices.ContainsFunc(tasks, func(o Task) bool { return slices.Contains(o.Needs, t.ID) }) {
				ends = append(ends, t.ID)
			}
		}
		if len(ends) > 0 {
			last = ends
		}
	}
}
