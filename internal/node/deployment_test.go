package node_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	deploymentpb "go.temporal.io/api/deployment/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/timestamppb"

	"muster/internal/node"
	"muster/worker"
)

// A deployment stands in for what a Temporal knows of workers by version.
type deployment struct {
	mu      sync.Mutex
	queues  map[string][]string // of each version that has come; none: nobody has
	current string
	changed time.Time // when a version got or lost the work; zero: never
	edition int       // counts changes, and is the token of one
	tried   int       // changes that were asked for
	refuse  error     // the answer to everything, if it is not fine
	without bool      // a worker without a version asks for work, too
	other   string    // version of the deployment others that has the work; empty: none of it has
	before  func(*deployment)
}

func (d *deployment) set(current string) {
	d.current, d.changed = current, time.Now()
	d.edition++
}

func (d *deployment) token() []byte { return fmt.Append(nil, d.edition) }

// read looks at it as nobody changes it.
func (d *deployment) read() (current string, tried int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.current, d.tried
}

func (s *temporal) DescribeWorkerDeployment(_ context.Context, r *workflowservice.DescribeWorkerDeploymentRequest) (*workflowservice.DescribeWorkerDeploymentResponse, error) {
	if s.deployment == nil {
		return nil, serviceerror.NewUnimplemented("unknown method DescribeWorkerDeployment")
	}
	d := s.deployment
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refuse != nil {
		return nil, d.refuse
	}
	if r.GetDeploymentName() != "team" || len(d.queues) == 0 {
		return nil, serviceerror.NewNotFound("no deployment " + r.GetDeploymentName())
	}
	routing := &deploymentpb.RoutingConfig{}
	if d.current != "" {
		routing.CurrentDeploymentVersion = &deploymentpb.WorkerDeploymentVersion{DeploymentName: "team", BuildId: d.current}
	}
	if !d.changed.IsZero() {
		routing.CurrentVersionChangedTime = timestamppb.New(d.changed)
	}
	info := &deploymentpb.WorkerDeploymentInfo{Name: "team", RoutingConfig: routing}
	for name := range d.queues {
		info.VersionSummaries = append(info.VersionSummaries, &deploymentpb.WorkerDeploymentInfo_WorkerDeploymentVersionSummary{
			DeploymentVersion: &deploymentpb.WorkerDeploymentVersion{DeploymentName: "team", BuildId: name},
		})
	}
	return &workflowservice.DescribeWorkerDeploymentResponse{ConflictToken: d.token(), WorkerDeploymentInfo: info}, nil
}

func (s *temporal) SetWorkerDeploymentCurrentVersion(_ context.Context, r *workflowservice.SetWorkerDeploymentCurrentVersionRequest) (*workflowservice.SetWorkerDeploymentCurrentVersionResponse, error) {
	d := s.deployment
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tried++
	if d.before != nil {
		d.before(d)
	}
	if !bytes.Equal(r.GetConflictToken(), d.token()) {
		return nil, serviceerror.NewFailedPrecondition("conflict token mismatch")
	}
	if r.GetBuildId() != "" && d.queues[r.GetBuildId()] == nil {
		return nil, serviceerror.NewNotFound("no version " + r.GetBuildId())
	}
	d.set(r.GetBuildId())
	return &workflowservice.SetWorkerDeploymentCurrentVersionResponse{ConflictToken: d.token()}, nil
}

func (s *temporal) DescribeWorkerDeploymentVersion(_ context.Context, r *workflowservice.DescribeWorkerDeploymentVersionRequest) (*workflowservice.DescribeWorkerDeploymentVersionResponse, error) {
	d := s.deployment
	d.mu.Lock()
	defer d.mu.Unlock()
	info := &deploymentpb.WorkerDeploymentVersionInfo{DeploymentVersion: r.GetDeploymentVersion()}
	queues, come := d.queues[r.GetDeploymentVersion().GetBuildId()]
	if r.GetDeploymentVersion().GetDeploymentName() == "others" {
		queues, come = []string{"muster-incidents"}, true
	}
	if !come {
		return nil, serviceerror.NewNotFound("no version " + r.GetDeploymentVersion().GetBuildId())
	}
	for _, name := range queues {
		info.TaskQueueInfos = append(info.TaskQueueInfos, &deploymentpb.WorkerDeploymentVersionInfo_VersionTaskQueueInfo{Name: name})
	}
	return &workflowservice.DescribeWorkerDeploymentVersionResponse{WorkerDeploymentVersionInfo: info}, nil
}

func (s *temporal) DescribeTaskQueue(context.Context, *workflowservice.DescribeTaskQueueRequest) (*workflowservice.DescribeTaskQueueResponse, error) {
	out := &workflowservice.DescribeTaskQueueResponse{VersioningInfo: &taskqueuepb.TaskQueueVersioningInfo{}}
	d := s.deployment
	if d == nil {
		return out, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for name := range d.queues {
		out.Pollers = append(out.Pollers, &taskqueuepb.PollerInfo{Identity: "one of " + name, DeploymentOptions: &deploymentpb.WorkerDeploymentOptions{
			DeploymentName: "team", BuildId: name, WorkerVersioningMode: enumspb.WORKER_VERSIONING_MODE_VERSIONED,
		}})
	}
	if d.without {
		out.Pollers = append(out.Pollers, &taskqueuepb.PollerInfo{Identity: "1@dev"})
	}
	switch {
	case d.other != "":
		out.VersioningInfo.CurrentDeploymentVersion = &deploymentpb.WorkerDeploymentVersion{DeploymentName: "others", BuildId: d.other}
	case d.current != "":
		out.VersioningInfo.CurrentDeploymentVersion = &deploymentpb.WorkerDeploymentVersion{DeploymentName: "team", BuildId: d.current}
	}
	return out, nil
}

// versions are what has come to a deployment: each asks for the same.
func versions(names ...string) map[string][]string {
	queues := map[string][]string{}
	for _, name := range names {
		queues[name] = []string{"muster-incidents", "muster-pages"}
	}
	return queues
}

// deployed runs a worker of version v2, and returns what /readyz says.
func deployed(t *testing.T, d *deployment) (words *said, ready func() string) {
	t.Helper()
	return deployedAs(t, d, worker.Deployment{Name: "team", BuildID: "v2"})
}

func deployedAs(t *testing.T, d *deployment, version worker.Deployment) (words *said, ready func() string) {
	t.Helper()
	s := newTemporal()
	s.deployment = d
	s.start(t, "127.0.0.1:0")
	cfg, words := config(t)
	cfg.Listen, cfg.Deployment = free(t), version
	run(t, node.Worker, cfg)
	<-s.polled
	return words, func() string {
		code, body := get(t, cfg.Data, "http://"+cfg.Listen+"/readyz?verbose")
		at := strings.Index(body, "]deployment")
		if at < 1 {
			return fmt.Sprint(code)
		}
		line, _, _ := strings.Cut(body[at-2:], "\n")
		return fmt.Sprintf("%d %s", code, line)
	}
}

// Whether a worker of a deployment has work is for its version, and is asked again and again.
func TestADeploymentHasOneVersionThatWorks(t *testing.T) {
	const has = "200 [+]deployment ok"
	t.Run("the first of all takes it", func(t *testing.T) {
		d := &deployment{queues: versions("v2")}
		words, ready := deployed(t, d)
		eventually(t, "it is ready", func() bool { return ready() == has })
		if current, tried := d.read(); current != "v2" || tried != 1 {
			t.Errorf("version %q has the work after %d changes, want v2 after 1", current, tried)
		}
		if n := words.count("takes the work of deployment team as version v2"); n != 1 {
			t.Errorf("it said so %d times, want once: %s", n, words)
		}
	})
	t.Run("one that comes after another waits, until it is promoted, and after it has lost the work", func(t *testing.T) {
		d := &deployment{queues: versions("v1", "v2")}
		d.set("v1")
		words, ready := deployed(t, d)
		const waits = "503 [-]deployment version v1 has the work of deployment team: muster worker promote --deployment team --build-id v2 gives it to this one"
		eventually(t, "it waits", func() bool { return ready() == waits })
		before, err := node.Promote(t.Context(), worker.Deployment{Name: "team", BuildID: "v2"}, node.Config{Log: slog.New(slog.DiscardHandler)})
		if err != nil || before != "v1" {
			t.Fatalf("promote: got %q, %v, want v1", before, err)
		}
		eventually(t, "it is ready", func() bool { return ready() == has })
		d.mu.Lock()
		d.set("v1")
		d.mu.Unlock()
		eventually(t, "it waits again", func() bool {
			return ready() == "503 [-]deployment version v1 has the work of deployment team, which v2 had before: this worker can be stopped"
		})
		if _, tried := d.read(); tried != 1 {
			t.Errorf("it was asked %d times for the work, want only by promote", tried)
		}
		if n := words.count("muster worker waits: version v1"); n != 2 {
			t.Errorf("it said %d times that it waits, want twice: %s", n, words)
		}
	})
	t.Run("none takes what was taken from all", func(t *testing.T) {
		d := &deployment{queues: versions("v2")}
		d.set("")
		_, ready := deployed(t, d)
		eventually(t, "it waits", func() bool {
			return ready() == "503 [-]deployment no version has the work of deployment team: muster worker promote --deployment team --build-id v2 gives it to this one"
		})
		if _, tried := d.read(); tried != 0 {
			t.Errorf("it asked %d times for the work, want never", tried)
		}
	})
	t.Run("of two that are the first, one gets it", func(t *testing.T) {
		d := &deployment{queues: versions("v1", "v2")}
		d.before = func(d *deployment) { // the other one was faster
			if d.current == "" {
				d.set("v1")
			}
		}
		_, ready := deployed(t, d)
		eventually(t, "it waits", func() bool { return strings.HasPrefix(ready(), "503 [-]deployment version v1 has the work") })
		if current, tried := d.read(); current != "v1" || tried != 1 {
			t.Errorf("version %q has the work, asked for %d times, want v1 and once", current, tried)
		}
	})
	t.Run("the first waits while somebody works without a version", func(t *testing.T) {
		d := &deployment{queues: versions("v2"), without: true}
		_, ready := deployed(t, d)
		eventually(t, "it waits", func() bool {
			return ready() == "503 [-]deployment workers without a version have the work, such as 1@dev: muster worker promote --deployment team --build-id v2 gives it to this one"
		})
		if _, tried := d.read(); tried != 0 {
			t.Errorf("it asked %d times for the work, want never", tried)
		}
		d.mu.Lock()
		d.without = false
		d.mu.Unlock()
		eventually(t, "it takes the work when they have gone", func() bool { return ready() == has })
	})
	t.Run("the first waits while a version of another deployment has the work", func(t *testing.T) {
		d := &deployment{queues: versions("v2"), other: "v7"}
		_, ready := deployed(t, d)
		eventually(t, "it waits", func() bool {
			return ready() == "503 [-]deployment version v7 of deployment others has the work: muster worker promote --deployment team --build-id v2 gives it to this one"
		})
		if _, tried := d.read(); tried != 0 {
			t.Errorf("it asked %d times for the work, want never", tried)
		}
		before, err := node.Promote(t.Context(), worker.Deployment{Name: "team", BuildID: "v2"}, node.Config{Log: slog.New(slog.DiscardHandler)})
		if err != nil || before != "others.v7" {
			t.Fatalf("promote: got %q, %v, want others.v7", before, err)
		}
		d.mu.Lock()
		d.other = "" // what changed last counts
		d.mu.Unlock()
		eventually(t, "it is ready", func() bool { return ready() == has })
	})
	t.Run("one that another deployment has taken the work from is not ready, and says the way back", func(t *testing.T) {
		d := &deployment{queues: versions("v2")}
		d.set("v2")
		_, ready := deployed(t, d)
		eventually(t, "it is ready", func() bool { return ready() == has })
		d.mu.Lock()
		d.other = "v7"
		d.mu.Unlock()
		eventually(t, "it waits", func() bool {
			return ready() == "503 [-]deployment version v7 of deployment others has the work, which v2 of team had before: muster worker promote --deployment others --unversioned gives it back"
		})
		for _, build := range []string{"v2", ""} {
			if build == "" {
				d.mu.Lock()
				d.set("")
				d.mu.Unlock()
			}
			_, err := node.Promote(t.Context(), worker.Deployment{Name: "team", BuildID: build}, node.Config{Log: slog.New(slog.DiscardHandler)})
			const want = "version v7 of deployment others has the work: muster worker promote --deployment others --unversioned gives it back"
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("promote %q: got %v, want %s", build, err, want)
			}
		}
	})
	t.Run("a worker without a version waits while a version has the work", func(t *testing.T) {
		d := &deployment{queues: versions("v1"), without: true}
		words, ready := deployedAs(t, d, worker.Deployment{})
		eventually(t, "it is ready", func() bool { return ready() == has })
		d.mu.Lock()
		d.set("v1")
		d.mu.Unlock()
		eventually(t, "it waits", func() bool {
			return ready() == "503 [-]deployment version v1 of deployment team has the work, and this worker has no version: start it with --deployment, or muster worker promote --deployment team --unversioned takes the work back"
		})
		before, err := node.Promote(t.Context(), worker.Deployment{Name: "team"}, node.Config{Log: slog.New(slog.DiscardHandler)})
		if err != nil || before != "v1" {
			t.Fatalf("promote: got %q, %v, want v1", before, err)
		}
		eventually(t, "it is ready again", func() bool { return ready() == has })
		if n := words.count("muster worker waits: version v1"); n != 1 {
			t.Errorf("it said %d times that it waits, want once: %s", n, words)
		}
	})
	t.Run("a worker that is not known yet is not ready", func(t *testing.T) {
		d := &deployment{}
		_, ready := deployed(t, d)
		eventually(t, "it is not ready", func() bool {
			return ready() == "503 [-]deployment which version has the work of deployment team is not known yet"
		})
		d.mu.Lock()
		d.queues = versions("v2")
		d.mu.Unlock()
		eventually(t, "it is ready", func() bool { return ready() == has })
	})
}

// A worker with a version stops where versions mean nothing: it would get no work.
func TestATemporalWithoutDeployments(t *testing.T) {
	for name, c := range map[string]struct {
		deployment *deployment
		want       string
	}{
		"older than they are": {nil, "ask for deployment team: unknown method DescribeWorkerDeployment: a worker without --deployment needs none"},
		"switched off": {
			&deployment{refuse: serviceerror.NewPermissionDenied("Worker Deployment Versions are disabled on this namespace.", "")},
			"ask for deployment team: Worker Deployment Versions are disabled on this namespace.: a worker without --deployment needs none",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTemporal()
			s.deployment = c.deployment
			s.start(t, "127.0.0.1:0")
			cfg, _ := config(t)
			cfg.Deployment = worker.Deployment{Name: "team", BuildID: "v2"}
			if err := node.Worker(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// Promoting is refused where it would leave work to nobody.
func TestPromoteRefused(t *testing.T) {
	archives := versions("v1", "v2")
	archives["v1"] = append(slices.Clone(archives["v1"]), "muster-archive")
	for name, c := range map[string]struct {
		deployment *deployment
		of         string // the name of the deployment
		want       string
	}{
		"a deployment of which nobody has come": {
			&deployment{}, "team",
			"promote deployment team: temporal does not know it: start a worker with --deployment team first",
		},
		"another name": {
			&deployment{queues: versions("v2")}, "tema",
			"promote deployment tema: temporal does not know it: start a worker with --deployment tema first",
		},
		"a version of which nobody has come, after one": {
			&deployment{queues: versions("v1"), current: "v1"}, "team",
			"promote version v2 of deployment team: no worker of it has come; there are v1",
		},
		"the first version, of which nobody has come": {
			&deployment{queues: versions("v1")}, "team",
			"promote version v2 of deployment team: no worker of it has come; there are v1",
		},
		"nobody would archive": {
			&deployment{queues: archives, current: "v1"}, "team",
			"promote version v2 of deployment team: its workers do not ask for task queue muster-archive, as those of version v1 do: start one that does first, such as the one with --archive; or, to do without it from now on, muster worker promote --deployment team --unversioned before this",
		},
		"somebody else was faster": {
			&deployment{queues: versions("v1", "v2", "v3"), current: "v1", before: func(d *deployment) { d.set("v3") }}, "team",
			"promote version v2 of deployment team: conflict token mismatch",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTemporal()
			s.deployment = c.deployment
			s.start(t, "127.0.0.1:0")
			_, err := node.Promote(t.Context(), worker.Deployment{Name: c.of, BuildID: "v2"}, node.Config{Log: slog.New(slog.DiscardHandler)})
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if current, _ := s.deployment.read(); current == "v2" {
				t.Error("it was promoted all the same")
			}
		})
	}
}

// Promoting what has the work already changes nothing.
func TestPromoteTwice(t *testing.T) {
	s := newTemporal()
	s.deployment = &deployment{queues: versions("v2"), current: "v2"}
	s.start(t, "127.0.0.1:0")
	before, err := node.Promote(t.Context(), worker.Deployment{Name: "team", BuildID: "v2"}, node.Config{Log: slog.New(slog.DiscardHandler)})
	if _, tried := s.deployment.read(); err != nil || before != "v2" || tried != 0 {
		t.Errorf("got %q, %v after %d changes, want v2 without any", before, err, tried)
	}
}

// A Temporal whose database is away says that it is well, and nothing can be done with it.
func TestNotReadyWhileTheDatabaseOfTemporalIsAway(t *testing.T) {
	var away atomic.Bool
	s := newTemporal()
	s.describe = func() error {
		if away.Load() {
			return serviceerror.NewUnavailable("connection refused")
		}
		return nil
	}
	s.start(t, "127.0.0.1:0")
	cfg, _ := config(t)
	cfg.Listen = free(t)
	run(t, node.Worker, cfg)
	<-s.polled
	ready := func(want int) func() bool {
		return func() bool { code, _ := get(t, cfg.Data, "http://"+cfg.Listen+"/readyz"); return code == want }
	}
	eventually(t, "it is ready", ready(200))
	away.Store(true)
	eventually(t, "it is not ready", ready(503))
	away.Store(false)
	eventually(t, "it is ready again", ready(200))
}
