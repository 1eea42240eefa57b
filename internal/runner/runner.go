// Package runner does what an automatic step says, once: it sends one request or runs one command, keeps the beginning of
// what comes of it without the secrets in it, and never tries again. It measures in the same way.
package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"muster/internal/outbound"
	"muster/internal/runbook"
)

// A House says what runners may do in it, as of now.
type House interface {
	Allowed() runbook.Allowed
	// StepSecrets returns the secrets of these names.
	StepSecrets(names []string) ([]runbook.Value, error)
	// OwnNetworks returns what requests may reach besides the internet.
	OwnNetworks() []netip.Prefix
	// Prometheus returns where metrics are asked for, and with which bearer token: both empty where nobody has said.
	Prometheus() (url, token string, err error)
}

// A Runner runs steps and measures. It is safe for concurrent use.
type Runner struct {
	House func() House
}

const (
	maxAnswer = 16 << 20        // bytes read of an answer
	grace     = 5 * time.Second // from asking a command to end to killing it
)

// attempt is what has come of one.
type attempt struct {
	runbook.Result

	judged bool // there was something to judge, rather than nothing to be seen
}

// Run does what a step says, whose parameters are in their places. It returns when that is over, or soon after ctx ends.
func (r *Runner) Run(ctx context.Context, a *runbook.Automatic) runbook.Result {
	return r.attempt(ctx, a).Result
}

func (r *Runner) attempt(ctx context.Context, a *runbook.Automatic) attempt {
	began := time.Now()
	done := r.try(ctx, a)
	done.Took = time.Since(began).Round(time.Millisecond)
	return done
}

func (r *Runner) try(ctx context.Context, a *runbook.Automatic) attempt {
	house := r.House()
	if broken := a.Check(); len(broken) > 0 {
		return failed("%s", errors.Join(broken...))
	}
	if open, _ := a.Names(); len(open) > 0 {
		return failed("parameter %s: has no value", open[0])
	}
	if err := house.Allowed().Check(a); err != nil {
		return failed("%s", err)
	}
	secrets, err := house.StepSecrets(a.Secrets)
	if err != nil {
		return failed("%s", err)
	}
	limited, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	c := newCapture(a.Output, a.Expect.Has, secrets)
	filled := a.WithSecrets(secrets)
	var done attempt
	if a.Runner == runbook.ByHTTP {
		done = request(limited, filled, outbound.Guard{Allow: house.OwnNetworks()}, c)
	} else {
		done = command(limited, filled, c)
	}
	done.Detail = c.masked(done.Detail)
	return done
}

func failed(format string, args ...any) attempt {
	return attempt{Result: runbook.Result{State: runbook.Failed, Detail: fmt.Sprintf(format, args...)}}
}

// request sends one request.
func request(ctx context.Context, a *runbook.Automatic, guard outbound.Guard, c *capture) attempt {
	req, err := http.NewRequestWithContext(ctx, a.HTTP.Method, a.HTTP.URL, strings.NewReader(a.HTTP.Body))
	if err != nil { // the error would show the URL
		return failed("no request can be made for this URL")
	}
	if a.HTTP.Body == "" {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	req.Header.Set("User-Agent", "muster")
	for _, h := range a.HTTP.Headers {
		if strings.ContainsAny(h.Value, "\r\n\x00") {
			return failed("header %s: its value has more than one line", h.Name)
		}
		req.Header.Set(h.Name, h.Value)
	}
	resp, err := guard.Once(req)
	if lost, ok := errors.AsType[*outbound.Unanswered](err); ok {
		done := failed("%s", lost.Detail)
		done.judged = lost.Refused
		if lost.Sent && !safe(a.HTTP.Method) {
			done.State = runbook.Unknown
		}
		return done
	}
	defer func() { _ = resp.Body.Close() }()
	n, err := io.Copy(c, io.LimitReader(resp.Body, maxAnswer))
	done := c.result(a.Expect, "status", resp.StatusCode)
	done.Status = resp.StatusCode
	switch {
	case err != nil && done.State == runbook.Passed:
		done.Detail = "the answer broke off"
	case err != nil && a.Expect.Met(resp.StatusCode): // what it must say may have been to come
		done.State, done.judged, done.Detail = runbook.Unknown, false, "the answer broke off before what it must say"
		if safe(a.HTTP.Method) {
			done.State = runbook.Failed
		}
	case n == maxAnswer:
		done.Detail = strings.TrimPrefix(done.Detail+fmt.Sprintf("; only %d bytes of the answer were read", n), "; ")
	}
	if to := resp.Header.Get("Location"); to != "" && resp.StatusCode >= 300 && resp.StatusCode <= 399 {
		done.Detail = strings.TrimPrefix(done.Detail+"; a redirect is not followed", "; ")
	}
	return done
}

// safe tells whether a request changes nothing, so that one without an answer has not either.
func safe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// command runs one command in an empty folder of its own, with nothing in its environment but what the step names.
func command(ctx context.Context, a *runbook.Automatic, c *capture) attempt {
	folder, err := os.MkdirTemp("", "muster-step-")
	if err != nil {
		return failed("make a folder for the command: %s", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	words := a.Command
	if a.Shell {
		words = []string{runbook.Shell, "-c", a.Command[0]}
	}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir, cmd.Env = folder, []string{}
	for _, v := range a.Environment {
		cmd.Env = append(cmd.Env, v.Name+"="+v.Value)
	}
	cmd.Stdout, cmd.Stderr = c, c
	leadGroup(cmd)
	stopped := false
	cmd.Cancel = func() error {
		err := endGroup(cmd)
		stopped = err == nil
		return err
	}
	cmd.WaitDelay = grace
	if err := cmd.Start(); err != nil {
		return failed("start %s: %s", words[0], reason(err))
	}
	err = cmd.Wait()
	killGroup(cmd) // whatever it has left behind
	code := cmd.ProcessState.ExitCode()
	done := c.result(a.Expect, "exit code", code)
	done.Exit = code
	switch {
	case stopped:
		done.State, done.judged, done.Detail = runbook.Unknown, false, "stopped before it had ended, and what it had done by then stays"
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			done.Detail = fmt.Sprintf("took longer than %s; %s", a.Timeout, done.Detail)
		}
	case code < 0:
		done.State, done.Detail = runbook.Failed, fmt.Sprintf("ended by itself: %s", err)
	}
	return done
}

// reason leaves out the path, which the message has already.
func reason(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}

// result judges a status or an exit code, and the output.
func (c *capture) result(e runbook.Expect, what string, code int) attempt {
	c.end()
	done := attempt{Result: runbook.Result{State: runbook.Passed, Output: c.output(), SHA256: c.hash(), Size: c.size}, judged: true}
	want := fmt.Sprint(e.From)
	if e.To != e.From {
		want += fmt.Sprintf("..%d", e.To)
	}
	switch {
	case !e.Met(code):
		done.State, done.Detail = runbook.Failed, fmt.Sprintf("%s %d; want %s", what, code, want)
	case e.Has != "" && !c.found:
		done.State, done.Detail = runbook.Failed, fmt.Sprintf("the output has no %q", e.Has)
	}
	return done
}

// Measure asks once.
func (r *Runner) Measure(ctx context.Context, m runbook.Measurement) runbook.Reading {
	if broken := m.Check(); len(broken) > 0 {
		return inconclusive("%s", errors.Join(broken...))
	}
	if m.Query != "" {
		return r.query(ctx, m)
	}
	done := r.attempt(ctx, m.Step())
	seen := slices.DeleteFunc([]string{done.Detail, outbound.Line(done.Output, 200)}, func(s string) bool { return s == "" })
	if done.Status != 0 && done.State == runbook.Passed {
		seen = slices.Insert(seen, 0, fmt.Sprintf("status %d", done.Status))
	}
	reading := runbook.Reading{Outcome: runbook.Fail, Seen: strings.Join(seen, ": ")}
	switch {
	case done.State == runbook.Passed:
		reading.Outcome = runbook.Pass
	case !done.judged:
		reading.Outcome = runbook.Inconclusive
	}
	return reading
}

func inconclusive(format string, args ...any) runbook.Reading {
	return runbook.Reading{Outcome: runbook.Inconclusive, Seen: fmt.Sprintf(format, args...)}
}
