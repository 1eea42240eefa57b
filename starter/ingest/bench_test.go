package ingest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"testing"
	"time"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/priority"
)

// BenchmarkDecode compares the decoder with the checks it cannot do without and with plain encoding/json.
func BenchmarkDecode(b *testing.B) {
	for _, file := range []string{"firing.json", "storm.json"} {
		body := corpus(b)[file]
		run := func(name string, decode func() bool) {
			b.Run(file+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(body)))
				before := cpu(b)
				for b.Loop() {
					if !decode() {
						b.Fatal("refused")
					}
				}
				used := cpu(b) - before
				b.ReportMetric(float64(used.Nanoseconds())/1e3/float64(b.N), "cpu-µs/op") // says more than time on a busy machine
			})
		}
		run("ours", func() bool { _, err := decodeAlertmanager(body); return err == nil })
		run("valid", func() bool { return json.Valid(body) })
		run("json", func() bool { return json.Unmarshal(body, new(plain)) == nil })
	}
}

// plain is the body as encoding/json would have it.
type plain struct {
	Version, Receiver, Status, GroupKey          string
	TruncatedAlerts                              int
	GroupLabels, CommonLabels, CommonAnnotations map[string]string
	Alerts                                       []struct {
		Status, GeneratorURL, Fingerprint string
		Labels, Annotations               map[string]string
		StartsAt, EndsAt                  time.Time
	}
}

// idle is an engine that only takes time.
type idle time.Duration

func (d idle) Deliver(context.Context, Key, incident.Definition, alert.Batch) error {
	time.Sleep(time.Duration(d))
	return nil
}

func (idle) Definition(string, alert.Labels, string, ...alert.Labels) (incident.Definition, error) {
	return incident.Definition{Impact: priority.High, Urgency: priority.High}, nil
}

func (idle) Levels(string, alert.Labels, ...alert.Labels) (impact, urgency priority.Level) {
	return priority.High, priority.High
}

func (idle) GroupKey(string, alert.Labels) (route string, values alert.Labels, ok bool) {
	return "", nil, false
}

func benchIntake(b *testing.B) *Intake {
	in, err := New(Config{
		Incidents: idle(10 * time.Millisecond), Router: idle(0), Now: time.Now,
		Key:      func(source, receiver string, group alert.Labels) Key { return fmt.Sprint(source, receiver, group) },
		RouteKey: func(source, route string, values alert.Labels) Key { return fmt.Sprint(source, route, values) },
	})
	if err != nil {
		b.Fatal(err)
	}
	return in
}

// BenchmarkDuplicates posts one body over 512 connections that are kept open, client and server in one process. The
// spacing bounds it: 512 posts in 50 ms are 10,240 in a second. What is left of the machine is the engine's.
func BenchmarkDuplicates(b *testing.B) {
	in := benchIntake(b)
	srv := httptest.NewServer(in)
	defer srv.Close()
	body := corpus(b)["firing.json"]
	request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: muster\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", Path, len(body), body)
	turns := make(chan struct{}, 512)
	var clients sync.WaitGroup
	for range 512 {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		clients.Go(func() {
			defer conn.Close()
			answers := bufio.NewReader(conn)
			for range turns {
				if _, err := conn.Write(request); err != nil {
					b.Error(err)
				}
				res, err := http.ReadResponse(answers, nil)
				if err != nil || res.StatusCode != http.StatusOK {
					b.Error(res, err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
			}
		})
	}
	before := cpu(b)
	b.ResetTimer()
	for range b.N {
		turns <- struct{}{}
	}
	close(turns)
	clients.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/post")
	b.ReportMetric(float64(in.Stats().Commits)/b.Elapsed().Seconds(), "commits/s")
}

// cpu is what this process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
