package org

import (
	"fmt"
	"path"
	"slices"

	"muster/internal/runbook"
)

// runners are what automatic steps and measurements may use. The zero value allows nothing.
type runners struct {
	allowed    runbook.Allowed
	secrets    []pair[ref] // by the names that steps have for them
	prometheus address
	token      ref // of Prometheus
}

// The forms of what only runners have.
var (
	aHostPattern = in("the name of a host, with its port where that is not the usual one, such as lb.example.com, db.example.com:8443 or *.example.com",
		matches(`^(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?(:[1-9][0-9]{0,4})?$`))
	aProgram = in("the whole path of a program, such as /usr/bin/kubectl", func(s string) (string, bool) {
		_, ok := aLine(s)
		return s, ok && path.IsAbs(s) && path.Clean(s) == s && s != "/"
	})
)

// readRunners reads what runners may do.
func (b *builder) readRunners(o *object) {
	r := &b.runners
	r.allowed.Hosts = readAllowed(o, runbook.ByHTTP, aHostPattern)
	r.allowed.Programs = readAllowed(o, runbook.ByCommand, aProgram)
	r.secrets = pairs(o, "secrets", aRef, optional)
	for _, s := range r.secrets {
		if _, ok := aParameter.read(s.key); !ok {
			o.fault(o.field("secrets").place, "%s: name %s: want %s", o.about("secrets"), show(s.key), aParameter.want)
		}
	}
	if n := o.field("prometheus"); n.kind != absent {
		o.object(n, o.about("prometheus"), func(o *object) {
			r.prometheus = o.address("url", aHook)
			r.token = maybe(o, "token", aRef, ref{})
		})
	}
}

// readAllowed reads what one runner may reach.
func readAllowed(o *object, runner string, f form[string]) (all []string) {
	n := o.field(runner)
	if n.kind == absent {
		return nil
	}
	o.object(n, o.about(runner), func(o *object) {
		for _, n := range o.items("allow", anyNumber) {
			one, _ := value(o.reader, n, o.about("allow"), f)
			all = append(all, one)
		}
		o.once("allow")
	})
	return all
}

func (r *runners) secret(name string) (ref, bool) {
	n := slices.IndexFunc(r.secrets, func(p pair[ref]) bool { return p.key == name })
	if n < 0 {
		return ref{}, false
	}
	return r.secrets[n].value, true
}

// names are those of the secrets.
func (r *runners) names() (all []string) {
	for _, s := range r.secrets {
		all = append(all, s.key)
	}
	return all
}

// Allowed returns what runners may do.
func (o *Organisation) Allowed() runbook.Allowed { return o.runners.allowed }

// StepSecrets returns the secrets that a step names, resolved now.
func (o *Organisation) StepSecrets(names []string) (all []runbook.Value, err error) {
	for _, name := range names {
		r, ok := o.runners.secret(name)
		if !ok {
			return nil, o.missing("secret of runners", name)
		}
		v, err := r.resolve(o.dir)
		if err != nil {
			return nil, fmt.Errorf("secret %s: %w", name, err)
		}
		all = append(all, runbook.Value{ID: name, Value: v})
	}
	return all, nil
}

// Prometheus returns where metrics are asked for and with which bearer token, resolved now: both empty where the folder does
// not say.
func (o *Organisation) Prometheus() (url, token string, err error) {
	if url, err = o.runners.prometheus.resolve(o.dir); err != nil {
		return "", "", fmt.Errorf("prometheus: url %w", err)
	}
	if token, err = o.runners.token.optional(o.dir); err != nil {
		return "", "", fmt.Errorf("prometheus: token %w", err)
	}
	return url, token, nil
}
