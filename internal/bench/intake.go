package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/starter/ingest"
	"muster/workflows"
)

// intake is the product's own intake behind a real HTTP server on this machine.
type intake struct {
	*ingest.Intake
	server  *http.Server
	address string
}

func (e *engine) openIntake(ctx context.Context) (*intake, error) {
	in, err := ingest.New(ingest.Config{
		Incidents: e.incidents, Router: router{}, Key: workflows.IncidentWorkflowID, RouteKey: workflows.RouteIncidentWorkflowID, Now: time.Now,
	})
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open intake: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle(ingest.Path, in)
	i := &intake{Intake: in, address: l.Addr().String(), server: &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: ingest.BodyTime + 5*time.Second,
		WriteTimeout: ingest.Patience + 10*time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}}
	go func() {
		if err := i.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // only a broken listener
		}
	}()
	return i, nil
}

func (i *intake) close() { _ = i.server.Close() }

// router gives every service an incident in which nothing falls due while somebody measures. Severity critical is P1,
// everything else P4.
type router struct{}

// Definition reads service and severity off the labels.
func (router) Definition(_ string, labels alert.Labels, _ string, _ ...alert.Labels) (incident.Definition, error) {
	level := priority.P4
	if labels.Value("severity") == "critical" {
		level = priority.P1
	}
	return idlePace().definition(labels.Value("service"), level), nil
}

// Levels raises no incident: each keeps the priority with which it opens.
func (router) Levels(string, alert.Labels, ...alert.Labels) (impact, urgency priority.Level) {
	return "", ""
}

func (router) GroupKey(string, alert.Labels) (route string, values alert.Labels, ok bool) {
	return "", nil, false
}

// request appends a POST as Alertmanager sends it: one alert of a service's group.
func request(buf []byte, subject, severity string, fingerprint uint64) []byte {
	const labels = `"alertname":"HighErrorRate","cluster":"prod-kr-1","namespace":"shop","service":"`
	const texts = `{"description":"5xx rate of checkout is 12.3% for 5 minutes","summary":"Checkout answers with errors"}`
	body := make([]byte, 0, 1536)
	body = append(body, `{"receiver":"`+receiver+`","status":"firing","alerts":[{"status":"firing","labels":{`+labels...)
	body = append(body, subject...)
	body = append(body, `","severity":"`...)
	body = append(body, severity...)
	body = append(body, `"},"annotations":`+texts+`,"startsAt":"2026-11-22T10:00:00.123Z","endsAt":"0001-01-01T00:00:00Z",`...)
	body = append(body, `"generatorURL":"http://prometheus.example.com:9090/graph?g0.expr=rate&g0.tab=1","fingerprint":"`...)
	body = fmt.Appendf(body, "%016x", fingerprint)
	body = append(body, `"}],"groupLabels":{"alertname":"HighErrorRate","service":"`...)
	body = append(body, subject...)
	body = append(body, `"},"commonLabels":{`+labels...)
	body = append(body, subject...)
	body = append(body, `","severity":"`...)
	body = append(body, severity...)
	body = append(body, `"},"commonAnnotations":`+texts+`,"externalURL":"http://alertmanager.example.com:9093","version":"4",`...)
	body = append(body, `"groupKey":"{}:{alertname=\"HighErrorRate\"}","truncatedAlerts":0}`...)
	buf = append(buf, "POST "+ingest.Path+" HTTP/1.1\r\nHost: muster\r\nUser-Agent: Alertmanager/0.34.0\r\nContent-Type: application/json\r\nContent-Length: "...)
	buf = strconv.AppendInt(buf, int64(len(body)), 10)
	return append(append(buf, "\r\n\r\n"...), body...)
}
