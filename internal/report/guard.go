package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"text/template/parse"
	"time"
)

// limits are what a text may use. What it does is counted, so that a busy machine refuses nothing that an idle one takes; the time
// is for what takes long and writes little.
type limits struct {
	bytes  int
	writes int
	within time.Duration
}

// An executor is a parsed text, plain or HTML.
type executor interface {
	Execute(w io.Writer, data any) error
}

// run executes a text within its limits.
func run(t executor, data any, most limits) (string, error) {
	w := &bounded{most: most, until: time.Now().Add(most.within)}
	if err := t.Execute(w, data); err != nil {
		return "", err
	}
	return w.text.String(), nil
}

// whole runs the text of a report.
func whole(t executor, data any) ([]byte, error) {
	out, err := run(t, data, reportLimits())
	return []byte(out), err
}

// bounded is a writer with an end. guard makes every turn of every loop write to it, so that no text outlives it.
type bounded struct {
	text   bytes.Buffer
	most   limits
	until  time.Time
	writes int
}

// Write refuses what is too much or too late.
func (b *bounded) Write(p []byte) (int, error) {
	if b.text.Len()+len(p) > b.most.bytes {
		return 0, fmt.Errorf("text is longer than %d bytes", b.most.bytes)
	}
	const seldom = 16 // a look at the clock costs more than most writes
	if b.writes++; b.writes > b.most.writes || b.writes%seldom == 0 && time.Now().After(b.until) {
		return 0, errors.New("text takes too long")
	}
	return b.text.Write(p)
}

// guard refuses loops over a number and templates that are not there, and makes every template and every turn of a loop
// begin with an empty write, so that the writer can end what never ends.
func guard(t *parse.Tree, defined func(string) bool) error {
	if t == nil || t.Root == nil {
		return nil
	}
	tick(t.Root)
	return walk(t, t.Root, defined)
}

func tick(l *parse.ListNode) {
	l.Nodes = append([]parse.Node{&parse.TextNode{NodeType: parse.NodeText, Pos: l.Pos}}, l.Nodes...)
}

func walk(t *parse.Tree, l *parse.ListNode, defined func(string) bool) error {
	if l == nil {
		return nil
	}
	for _, n := range l.Nodes {
		var branch *parse.BranchNode
		switch n := n.(type) {
		case *parse.IfNode:
			branch = &n.BranchNode
		case *parse.WithNode:
			branch = &n.BranchNode
		case *parse.RangeNode:
			branch = &n.BranchNode
			if number(n.Pipe) {
				where, what := t.ErrorContext(n)
				return fmt.Errorf("%s: %s: range over a number", where, what)
			}
			tick(n.List)
		case *parse.TemplateNode:
			if !defined(n.Name) {
				where, _ := t.ErrorContext(n)
				return fmt.Errorf("%s: template %q: not defined", where, n.Name)
			}
		}
		if branch == nil {
			continue
		}
		if err := errors.Join(walk(t, branch.List, defined), walk(t, branch.ElseList, defined)); err != nil {
			return err
		}
	}
	return nil
}

func number(p *parse.PipeNode) bool {
	switch arg := p.Cmds[len(p.Cmds)-1].Args[0].(type) {
	case *parse.NumberNode:
		return true
	case *parse.PipeNode:
		return number(arg)
	}
	return false
}
