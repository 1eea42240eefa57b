package runbook

import (
	"fmt"
	"slices"
	"strings"
)

// Allowed is what runners may do. The zero value allows nothing.
type Allowed struct {
	Hosts    []string `json:"hosts,omitempty"`    // lb.example, lb.example:8443, or *.example for everything below it
	Programs []string `json:"programs,omitempty"` // whole paths
}

// Check refuses what may not run, and says what would have to be allowed.
func (w Allowed) Check(a *Automatic) error {
	if a.Runner == ByCommand {
		if program := a.Program(); !slices.Contains(w.Programs, program) {
			return fmt.Errorf("program %q: not allowed; want it in runners: command: allow, if Muster may run it", program)
		}
		return nil
	}
	host, port, ok := a.HTTP.Host()
	if a.Runner != ByHTTP || !ok {
		return fmt.Errorf("runner %q: want %s with a URL, or %s", a.Runner, ByHTTP, ByCommand)
	}
	usual := "443"
	if strings.HasPrefix(a.HTTP.URL, "http:") {
		usual = "80"
	}
	named := host
	if port != usual {
		named += ":" + port
	}
	if !slices.ContainsFunc(w.Hosts, func(pattern string) bool { return covers(strings.ToLower(pattern), host, port, usual) }) {
		return fmt.Errorf("host %q: not allowed; want it in runners: http: allow, if Muster may send requests there", named)
	}
	return nil
}

// covers tells whether a pattern is of a host and port. Without a port it is of the usual one.
func covers(pattern, host, port, usual string) bool {
	name, wanted, named := strings.Cut(pattern, ":")
	if !named {
		wanted = usual
	}
	below, any := strings.CutPrefix(name, "*")
	return wanted == port && (name == host || any && strings.HasSuffix(host, below) && len(host) > len(below))
}
