package node

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"muster/internal/org"
)

// often is how often the organisation folder is looked at.
const often = 5 * time.Second

// A fixed part of the organisation folder is read once, when the process starts.
type fixed struct {
	name string
	read func(*org.Organisation) any
	was  any
}

// workerParts are fixed for whoever has effects, entranceParts for whoever lets alerts and people in. The organisation's
// own language is fixed for both: the self-watch speaks it.
func workerParts() []fixed {
	return []fixed{
		{name: "mail", read: func(o *org.Organisation) any { m, err := o.Mail(); return pair{m, err} }},
		{name: "tickets", read: func(o *org.Organisation) any { t, err := o.Tickets(); return pair{t, err} }},
		{name: "own_networks", read: func(o *org.Organisation) any { return o.OwnNetworks() }},
	}
}

func entranceParts() []fixed {
	return []fixed{
		{name: "sources", read: func(o *org.Organisation) any {
			var tokens []pair
			for _, s := range o.Sources() {
				token, err := o.Token(s.ID)
				mapping := ""
				if s.Mapping != nil { // what is compiled equals nothing
					mapping, s.Mapping = fmt.Sprint(*s.Mapping), nil
				}
				tokens = append(tokens, pair{pair{s, mapping}, pair{token, err}})
			}
			return tokens
		}},
		{name: "sign_in", read: func(o *org.Organisation) any {
			s, on, err := o.SignIn()
			return pair{pair{s, on}, pair{o.PublicURL, err}}
		}},
		{name: "zone", read: func(o *org.Organisation) any { return o.Zone.String() }},
	}
}

type pair struct{ a, b any }

// follow keeps the organisation folder current, and says when a part has changed that only a restart makes current.
func (n *Node) follow(ctx context.Context, parts ...fixed) {
	parts = append(parts, fixed{name: "languages", read: func(o *org.Organisation) any { return o.Languages[0] }})
	for _, p := range parts {
		p.was = p.read(n.org.Current())
		n.fixed = append(n.fixed, p)
	}
	n.beside(ctx, func(ctx context.Context) { n.org.Follow(ctx, often, n.cfg.Log) })
	n.beside(ctx, func(ctx context.Context) {
		var said []string
		for ticker := time.Tick(often); ; {
			select {
			case <-ctx.Done():
				return
			case <-ticker:
			}
			now := n.outdated()
			if len(now) > 0 && !slices.Equal(now, said) {
				n.cfg.Log.Warn("the organisation folder has changed where only a restart reads it", "parts", now)
			}
			said = now
		}
	})
}

// outdated names the parts of the organisation folder that this process would read differently now.
func (n *Node) outdated() []string {
	var names []string
	for _, p := range n.fixed {
		if !reflect.DeepEqual(p.read(n.org.Current()), p.was) {
			names = append(names, p.name)
		}
	}
	return names
}

// settled says which change of the organisation folder waits for a restart.
func (n *Node) settled() error {
	if names := n.outdated(); len(names) > 0 {
		return fmt.Errorf("changed, read again after a restart: %s", strings.Join(names, ", "))
	}
	return nil
}

// revision says which state of the organisation folder is in use.
func (n *Node) revision() string {
	o := n.org.Current()
	return fmt.Sprintf("revision %s of %s", o.Revision, o.Changed.UTC().Format(time.RFC3339))
}

// unread says why the organisation folder as it stands now is not in use, without what stands in it: the log has that.
func (n *Node) unread() error {
	err := n.org.Fault()
	if err == nil {
		return nil
	}
	why := "cannot be read"
	if refusal, ok := errors.AsType[*org.Refusal](err); ok {
		why = fmt.Sprintf("has faults (%d)", len(refusal.Faults))
	}
	return fmt.Errorf("the folder %s, see the log: %s stays in use", why, n.revision())
}
