package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"muster/internal/outbound"
	"muster/internal/runbook"
)

// answer is what Prometheus says to an instant query.
type answer struct {
	Status string `json:"status"`
	Error  string `json:"error"`
	Data   struct {
		Type   string          `json:"resultType"`
		Result json.RawMessage `json:"result"`
	} `json:"data"`
}

// A sample is one value of a series, with its labels.
type sample struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"` // an instant, and the value as text
}

// query asks Prometheus once.
func (r *Runner) query(ctx context.Context, m runbook.Measurement) runbook.Reading {
	house := r.House()
	base, token, err := house.Prometheus()
	switch {
	case err != nil:
		return inconclusive("%s", err)
	case base == "":
		return inconclusive("no Prometheus: want its URL in runners: prometheus, in organisation.yaml")
	}
	limited, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	form := url.Values{"query": {m.Query}, "timeout": {m.Timeout.String()}}.Encode()
	req, err := http.NewRequestWithContext(limited, http.MethodPost, strings.TrimRight(base, "/")+"/api/v1/query", strings.NewReader(form))
	if err != nil { // the error would show the URL
		return inconclusive("the URL of Prometheus is none")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", "muster")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := outbound.Guard{Allow: house.OwnNetworks()}.Once(req)
	if err != nil {
		return inconclusive("%s", err)
	}
	defer func() { _ = resp.Body.Close() }()
	const most = 1 << 20
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return inconclusive("the answer of Prometheus broke off")
	}
	var said answer
	if err := json.Unmarshal(body, &said); err != nil {
		return inconclusive("status %d, and no answer of Prometheus", resp.StatusCode)
	}
	if said.Status != "success" {
		return inconclusive("Prometheus refuses the query: %s", outbound.Line(said.Error, 200))
	}
	samples, err := said.samples()
	if err != nil {
		return inconclusive("%s", err)
	}
	return judge(samples, m.Compare)
}

// samples are the values of a vector or a scalar.
func (a answer) samples() (all []sample, err error) {
	switch a.Data.Type {
	case "vector":
		err = json.Unmarshal(a.Data.Result, &all)
	case "scalar":
		all = make([]sample, 1)
		err = json.Unmarshal(a.Data.Result, &all[0].Value)
	default:
		return nil, fmt.Errorf("the query has a %s: want one value for each series", outbound.Line(a.Data.Type, 20))
	}
	if err != nil {
		return nil, errors.New("an answer that is not that of a query")
	}
	return all, nil
}

// judge compares every value. Nothing is no success: a series that has gone says nothing.
func judge(samples []sample, c runbook.Comparison) runbook.Reading {
	if len(samples) == 0 {
		return inconclusive("no data")
	}
	reading := runbook.Reading{Outcome: runbook.Pass}
	var broken, held []string
	for _, s := range samples {
		text, _ := s.Value[1].(string)
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(v) {
			return inconclusive("%s is no number", s.shown())
		}
		if c.Holds(v) {
			held = append(held, s.shown())
		} else {
			broken = append(broken, s.shown())
		}
	}
	if len(broken) > 0 {
		reading.Outcome = runbook.Fail
	}
	const most = 5
	seen := slices.Concat(broken, held)
	reading.Seen = fmt.Sprintf("%s; want %s %v", strings.Join(seen[:min(most, len(seen))], ", "), c.Operator, c.Value)
	if more := len(seen) - most; more > 0 {
		reading.Seen += fmt.Sprintf(" (and %d more)", more)
	}
	return reading
}

// shown is the sample as people write it.
func (s sample) shown() string {
	var labels []string
	for name, v := range s.Metric {
		if name != "__name__" {
			labels = append(labels, fmt.Sprintf("%s=%q", name, v))
		}
	}
	slices.Sort(labels)
	shown := fmt.Sprint(s.Value[1])
	if len(labels) > 0 {
		shown = "{" + strings.Join(labels, ",") + "} " + shown
	}
	return outbound.Line(shown, 200)
}
