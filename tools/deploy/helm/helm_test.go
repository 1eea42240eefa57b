// Package helm_test renders the chart in deploy/helm with Helm's own library, reads what comes of it as Kubernetes does, and holds it against
// the program.
package helm_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"helm.sh/helm/v4/pkg/strvals"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"muster/tools/deploy/program"
)

func TestMain(m *testing.M) { program.Main(m) }

const (
	folder  = program.Root + "/deploy/helm/muster"
	release = "release"
)

// settings are the files of values, by their names.
func settings(t *testing.T) map[string]common.Values {
	t.Helper()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("files of values: %v, %v", files, err)
	}
	all := map[string]common.Values{}
	for _, file := range files {
		values, err := common.ReadValuesFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".yaml")] = values
	}
	return all
}

// render returns what the chart makes of values, by the names of its templates.
func render(values common.Values) (map[string]string, error) { return renderAs(release, values) }

// renderAs does so for a release of another name.
func renderAs(name string, values common.Values) (map[string]string, error) {
	chart, err := loader.LoadDir(folder)
	if err != nil {
		return nil, err
	}
	all, err := util.ToRenderValues(chart, values, common.ReleaseOptions{Name: name, Namespace: "ops", Revision: 1, IsInstall: true}, nil)
	if err != nil {
		return nil, err
	}
	return engine.Render(chart, all)
}

// A cluster is what a release has in it, each object read strictly: a field that Kubernetes does not know is an error.
type cluster struct {
	deployments map[string]*appsv1.Deployment
	services    map[string]*corev1.Service
	claims      map[string]*corev1.PersistentVolumeClaim
	maps        map[string]*corev1.ConfigMap
	accounts    map[string]*corev1.ServiceAccount
	budgets     map[string]*policyv1.PodDisruptionBudget
	ingresses   map[string]*networkingv1.Ingress
	policies    map[string]*networkingv1.NetworkPolicy
	monitors    map[string]*monitor

	objects []metav1.ObjectMeta
	notes   string
}

// A monitor is as much of a ServiceMonitor as the chart uses: its Go types are in a module of the Prometheus operator.
type monitor struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec struct {
		Selector  metav1.LabelSelector `json:"selector"`
		Endpoints []struct {
			Port     string `json:"port"`
			Path     string `json:"path"`
			Interval string `json:"interval"`

			Relabelings []struct {
				Action      string `json:"action"`
				TargetLabel string `json:"targetLabel"`
				Replacement string `json:"replacement"`
			} `json:"relabelings"`
		} `json:"endpoints"`
	} `json:"spec"`
}

func install(t *testing.T, values common.Values) cluster {
	t.Helper()
	return installAs(t, release, values)
}

func installAs(t *testing.T, name string, values common.Values) cluster {
	t.Helper()
	files, err := renderAs(name, values)
	if err != nil {
		t.Fatal(err)
	}
	c := cluster{
		map[string]*appsv1.Deployment{},
		map[string]*corev1.Service{},
		map[string]*corev1.PersistentVolumeClaim{},
		map[string]*corev1.ConfigMap{},
		map[string]*corev1.ServiceAccount{},
		map[string]*policyv1.PodDisruptionBudget{},
		map[string]*networkingv1.Ingress{},
		map[string]*networkingv1.NetworkPolicy{},
		map[string]*monitor{},
		nil, "",
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, "NOTES.txt") {
			c.notes = files[name]
			continue
		}
		for _, text := range regexp.MustCompile(`(?m)^---$`).Split(files[name], -1) {
			if regexp.MustCompile(`(?m)^[^#\s]`).MatchString(text) {
				c.take(t, name, []byte(text))
			}
		}
	}
	return c
}

// take reads one object.
func (c *cluster) take(t *testing.T, file string, text []byte) {
	t.Helper()
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(text, &kind); err != nil {
		t.Fatalf("%s: %v\n%s", file, err, text)
	}
	var meta metav1.ObjectMeta
	var err error
	switch kind.APIVersion + " " + kind.Kind {
	case "apps/v1 Deployment":
		meta, err = keep(c.deployments, text, func(o *appsv1.Deployment) metav1.ObjectMeta { return o.ObjectMeta })
	case "v1 Service":
		meta, err = keep(c.services, text, func(o *corev1.Service) metav1.ObjectMeta { return o.ObjectMeta })
	case "v1 PersistentVolumeClaim":
		meta, err = keep(c.claims, text, func(o *corev1.PersistentVolumeClaim) metav1.ObjectMeta { return o.ObjectMeta })
	case "v1 ConfigMap":
		meta, err = keep(c.maps, text, func(o *corev1.ConfigMap) metav1.ObjectMeta { return o.ObjectMeta })
	case "v1 ServiceAccount":
		meta, err = keep(c.accounts, text, func(o *corev1.ServiceAccount) metav1.ObjectMeta { return o.ObjectMeta })
	case "policy/v1 PodDisruptionBudget":
		meta, err = keep(c.budgets, text, func(o *policyv1.PodDisruptionBudget) metav1.ObjectMeta { return o.ObjectMeta })
	case "networking.k8s.io/v1 Ingress":
		meta, err = keep(c.ingresses, text, func(o *networkingv1.Ingress) metav1.ObjectMeta { return o.ObjectMeta })
	case "networking.k8s.io/v1 NetworkPolicy":
		meta, err = keep(c.policies, text, func(o *networkingv1.NetworkPolicy) metav1.ObjectMeta { return o.ObjectMeta })
	case "monitoring.coreos.com/v1 ServiceMonitor":
		meta, err = keep(c.monitors, text, func(o *monitor) metav1.ObjectMeta { return o.ObjectMeta })
	default:
		t.Fatalf("%s: an object %s of %s that the test does not know", file, kind.Kind, kind.APIVersion)
	}
	if err != nil {
		t.Errorf("%s: %s: %v\n%s", file, kind.Kind, err, text)
	}
	c.objects = append(c.objects, meta)
}

func keep[T any](all map[string]*T, text []byte, of func(*T) metav1.ObjectMeta) (metav1.ObjectMeta, error) {
	var o T
	err := yaml.UnmarshalStrict(text, &o)
	meta := of(&o)
	if _, twice := all[meta.Name]; twice && err == nil {
		err = fmt.Errorf("%s is there twice", meta.Name)
	}
	all[meta.Name] = &o
	return meta, err
}

// each runs a test for every file of values.
func each(t *testing.T, test func(t *testing.T, values common.Values, c cluster)) {
	t.Helper()
	for name, values := range settings(t) {
		t.Run(name, func(t *testing.T) { test(t, values, install(t, values)) })
	}
}

// container returns the one container of a deployment.
func container(t *testing.T, d *appsv1.Deployment) corev1.Container {
	t.Helper()
	if all := d.Spec.Template.Spec.Containers; len(all) != 1 || len(d.Spec.Template.Spec.InitContainers) > 0 {
		t.Fatalf("%s has %d containers; want one", d.Name, len(all))
	}
	return d.Spec.Template.Spec.Containers[0]
}

func TestLint(t *testing.T) {
	for name, values := range settings(t) {
		found := lint.RunAll(folder, values, "ops")
		for _, m := range found.Messages {
			if m.Severity > support.InfoSev {
				t.Errorf("%s: %v", name, m)
			}
		}
	}
}

// TestObjects asks for what each file of values is to make, by the kinds and names.
func TestObjects(t *testing.T) {
	want := map[string]string{
		"minimal": "deployments release-muster-serve release-muster-worker; services release-muster-serve; claims release-muster-reports release-muster-serve; " +
			"maps release-muster-organisation; accounts release-muster; budgets release-muster-serve release-muster-worker; ingresses; policies; monitors",
		"cloud": "deployments release-muster-archive release-muster-serve release-muster-worker; " +
			"services release-muster-metrics release-muster-serve release-muster-serve-mail; " +
			"claims release-muster-archive release-muster-reports release-muster-serve; maps; accounts release-muster; " +
			"budgets release-muster-serve release-muster-worker; ingresses release-muster-serve; policies release-muster-serve release-muster-worker; monitors release-muster",
		"mtls": "deployments incidents-serve incidents-worker; services incidents-serve; claims incidents-serve; maps; accounts; " +
			"budgets incidents-serve incidents-worker; ingresses; policies incidents-serve incidents-worker; monitors",
		"store": "deployments release-muster-serve release-muster-worker; services release-muster-serve; claims release-muster-reports; maps; accounts release-muster; " +
			"budgets release-muster-serve release-muster-worker; ingresses; policies; monitors",
	}
	for name, values := range settings(t) {
		c := install(t, values)
		got := strings.Join([]string{
			names("deployments", c.deployments), names("services", c.services), names("claims", c.claims), names("maps", c.maps),
			names("accounts", c.accounts), names("budgets", c.budgets), names("ingresses", c.ingresses), names("policies", c.policies),
			names("monitors", c.monitors),
		}, "; ")
		if got != want[name] {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, want[name])
		}
	}
}

func names[T any](kind string, all map[string]*T) string {
	return strings.Join(append([]string{kind}, slices.Sorted(maps.Keys(all))...), " ")
}

// TestNames asks that all names and labels are such as Kubernetes takes, also when the release has the longest name that Helm allows.
func TestNames(t *testing.T) {
	each(t, func(t *testing.T, values common.Values, c cluster) {
		long := maps.Clone(values)
		long["fullnameOverride"] = "a" + strings.Repeat("-long-name", 20)
		for _, o := range slices.Concat(c.objects, install(t, long).objects) {
			for _, fault := range validation.IsDNS1035Label(o.Name) {
				t.Errorf("name %q: %s", o.Name, fault)
			}
			for key, value := range o.Labels {
				for _, fault := range slices.Concat(validation.IsQualifiedName(key), validation.IsValidLabelValue(value)) {
					t.Errorf("%s: label %s=%s: %s", o.Name, key, value, fault)
				}
			}
			if o.Labels["app.kubernetes.io/instance"] != release || o.Labels["app.kubernetes.io/name"] != "muster" {
				t.Errorf("%s: labels %v", o.Name, o.Labels)
			}
		}
		for _, m := range c.maps {
			for key := range m.Data {
				for _, fault := range validation.IsConfigMapKey(key) {
					t.Errorf("%s: key %q: %s", m.Name, key, fault)
				}
			}
		}
	})
}

// TestSelectors asks that whoever selects pods selects those that it is about, and no other.
func TestSelectors(t *testing.T) {
	each(t, func(t *testing.T, _ common.Values, c cluster) {
		selected := func(s *metav1.LabelSelector) (found []string) {
			selector, err := metav1.LabelSelectorAsSelector(s)
			if err != nil || selector.Empty() {
				t.Errorf("selector %v: %v", s, err)
				return nil
			}
			for name, d := range c.deployments {
				if selector.Matches(labels.Set(d.Spec.Template.Labels)) {
					found = append(found, name)
				}
			}
			slices.Sort(found)
			return found
		}
		asks := func(what, name string, s *metav1.LabelSelector, want ...string) {
			t.Helper()
			if got := selected(s); !slices.Equal(got, want) {
				t.Errorf("%s %s selects the pods of %q, want %q", what, name, got, want)
			}
		}
		all := slices.Sorted(maps.Keys(c.deployments))
		for name, d := range c.deployments {
			asks("deployment", name, d.Spec.Selector, name)
			for _, s := range d.Spec.Template.Spec.TopologySpreadConstraints {
				asks("spread of", name, s.LabelSelector, name)
			}
		}
		for name, b := range c.budgets {
			asks("budget", name, b.Spec.Selector, name)
			if b.Spec.MaxUnavailable == nil || *b.Spec.MaxUnavailable != intstr.FromInt32(1) { // one pod alone must not hold a node back for ever
				t.Errorf("budget %s: at most %v unavailable", name, b.Spec.MaxUnavailable)
			}
		}
		for name, s := range c.services {
			want := all
			if s.Spec.ClusterIP != corev1.ClusterIPNone {
				want = []string{strings.TrimSuffix(name, "-mail")}
			}
			asks("service", name, &metav1.LabelSelector{MatchLabels: s.Spec.Selector}, want...)
			for _, p := range s.Spec.Ports {
				for _, of := range want {
					if !slices.ContainsFunc(container(t, c.deployments[of]).Ports, func(q corev1.ContainerPort) bool { return q.Name == p.TargetPort.StrVal }) {
						t.Errorf("service %s leads to port %s, which %s does not have", name, p.TargetPort.String(), of)
					}
				}
			}
		}
		for name, p := range c.policies {
			want := []string{name}
			if strings.HasSuffix(name, "-worker") {
				want = slices.DeleteFunc(slices.Clone(all), func(d string) bool { return strings.HasSuffix(d, "-serve") })
			}
			asks("policy", name, &p.Spec.PodSelector, want...)
		}
		for name, i := range c.ingresses {
			to := i.Spec.Rules[0].HTTP.Paths[0].Backend.Service
			s := c.services[to.Name]
			if s == nil || !slices.ContainsFunc(s.Spec.Ports, func(p corev1.ServicePort) bool { return p.Name == to.Port.Name }) {
				t.Errorf("ingress %s leads to %s, port %s, which is not there", name, to.Name, to.Port.Name)
			}
		}
		for name, m := range c.monitors {
			for _, s := range c.services {
				selects := labels.SelectorFromSet(m.Spec.Selector.MatchLabels).Matches(labels.Set(s.Labels))
				if selects != strings.HasSuffix(s.Name, "-metrics") {
					t.Errorf("monitor %s selects %s: %v", name, s.Name, selects)
				}
			}
			if e := m.Spec.Endpoints[0]; e.Path != "/metrics" || e.Port != "http" {
				t.Errorf("monitor %s asks %+v", name, e)
			}
		}
	})
}

// TestJob asks that the alert rules find what the monitor watches, whatever the release is called. Prometheus' operator calls the job as the
// Service, unless it is told another name.
func TestJob(t *testing.T) {
	rules := program.Lines(t, "deploy/prometheus/rules.yaml", `job=~"([^"]+)"`)
	if len(rules) == 0 {
		t.Fatal("no rule asks for a job")
	}
	for _, name := range []string{release, "prod", "muster"} {
		c := installAs(t, name, settings(t)["cloud"])
		if len(c.monitors) != 1 {
			t.Errorf("%s has %d monitors", name, len(c.monitors))
		}
		for _, m := range c.monitors {
			var job string
			for _, s := range c.services {
				if labels.SelectorFromSet(m.Spec.Selector.MatchLabels).Matches(labels.Set(s.Labels)) {
					job = s.Name
				}
			}
			for _, r := range m.Spec.Endpoints[0].Relabelings {
				if r.Action == "replace" && r.TargetLabel == "job" {
					job = r.Replacement
				}
			}
			for _, rule := range rules {
				if !regexp.MustCompile("^(?:" + rule + ")$").MatchString(job) {
					t.Errorf("release %s: its job is %q, and a rule asks for %q", name, job, rule)
				}
			}
		}
	}
}

// TestCommands asks that Muster understands its command lines, and that what they name is mounted.
func TestCommands(t *testing.T) {
	each(t, func(t *testing.T, values common.Values, c cluster) {
		for name, d := range c.deployments {
			p := container(t, d)
			want := map[string]string{"serve": "serve", "worker": "worker", "archive": "worker"}[name[strings.LastIndex(name, "-")+1:]]
			if len(p.Command) > 0 || p.Args[0] != want {
				t.Errorf("%s runs %q %q", name, p.Command, p.Args)
			}
			program.Understood(t, p.Args...)
			port, _ := strings.CutPrefix(program.Flag(p.Args, "--listen"), ":")
			if !slices.ContainsFunc(p.Ports, func(q corev1.ContainerPort) bool {
				return q.Name == "http" && strconv.Itoa(int(q.ContainerPort)) == port
			}) {
				t.Errorf("%s answers on %s, and its ports are %v", name, port, p.Ports)
			}
			mailed, _ := strings.CutPrefix(program.Flag(p.Args, "--mail-listen"), ":")
			for _, q := range p.Ports {
				if q.Name == "smtp" && strconv.Itoa(int(q.ContainerPort)) != mailed {
					t.Errorf("%s takes mail on %s, and its port is %d", name, mailed, q.ContainerPort)
				}
			}
			wantImage := "muster:dev"
			if name == "incidents-serve" || name == "incidents-worker" {
				wantImage = "registry.example.com/ops/muster:v1.4.0"
			}
			if p.Image != wantImage {
				t.Errorf("%s runs %s, want %s", name, p.Image, wantImage)
			}
		}
		archive, _ := values["archive"].(map[string]any)
		url, _ := archive["url"].(string)
		for name, d := range c.deployments {
			if got, want := program.Flag(container(t, d).Args, "--archive"), url; got != want && !strings.HasSuffix(name, "-worker") || strings.HasSuffix(name, "-worker") && got != "" {
				t.Errorf("%s: --archive %q: one worker writes it, and serve leaves what it has refused there", name, got)
			}
		}
	})
}

// TestTheVersionIsThatOfTheChart asks that the image is the one of the chart's appVersion unless it is told another.
func TestTheVersionIsThatOfTheChart(t *testing.T) {
	chart, err := loader.LoadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	chart.Metadata.AppVersion = "v9.8.7"
	all, err := util.ToRenderValues(chart, settings(t)["minimal"], common.ReleaseOptions{Name: release}, nil)
	if err != nil {
		t.Fatal(err)
	}
	files, err := engine.Render(chart, all)
	if err != nil || !strings.Contains(files["muster/templates/worker.yaml"], `image: "muster:v9.8.7"`) {
		t.Errorf("%v: %s", err, files["muster/templates/worker.yaml"])
	}
}

// TestServeIsUpdatedLast asks that an update can bring the workers to a version before serve, by the values of the README.
func TestServeIsUpdatedLast(t *testing.T) {
	steps := program.Lines(t, "deploy/helm/muster/README.md", `^helm upgrade (.*)$`)
	want := []map[string]string{
		{"archive": "v1.1.0", "worker": "v1.1.0", "serve": "v1.0.0"},
		{"archive": "v1.1.0", "worker": "v1.1.0", "serve": "v1.1.0"},
	}
	if len(steps) != len(want) {
		t.Fatalf("an update has the steps %q", steps)
	}
	for n, step := range steps {
		values := maps.Clone(settings(t)["cloud"])
		for _, m := range regexp.MustCompile(`--set (\S+)`).FindAllStringSubmatch(step, -1) {
			set, err := strvals.Parse(m[1])
			if err != nil {
				t.Fatal(err)
			}
			values = util.CoalesceTables(set, values)
		}
		for name, d := range install(t, values).deployments {
			_, tag, _ := strings.Cut(container(t, d).Image, ":")
			if kind := name[strings.LastIndex(name, "-")+1:]; tag != want[n][kind] {
				t.Errorf("%s: %s is of version %s, want %s", step, kind, tag, want[n][kind])
			}
		}
	}
}

// TestDatabases asks that whoever copies the URL of a database from here asks it for its certificate.
func TestDatabases(t *testing.T) {
	shown := 0
	for _, file := range []string{"deploy/helm/muster/values.yaml", "deploy/helm/muster/README.md", "deploy/systemd/muster.env", "docs/deployment.md"} {
		for _, url := range program.Lines(t, file, `(postgres(?:ql)?://[^\s:/]+:[^\s`+"`"+`'"]+)`) {
			shown++
			if !strings.Contains(url, "sslmode=verify-full") {
				t.Errorf("%s shows %s, with a password and without sslmode=verify-full", file, url)
			}
		}
	}
	if shown < 2 {
		t.Errorf("found %d URLs", shown)
	}
}

// TestSettings asks that Muster reads every variable that it is given, and that none of them is a secret in clear.
func TestSettings(t *testing.T) {
	secret := regexp.MustCompile(`(KEY|TOKEN|PASSWORD|SECRET|STORE)`)
	each(t, func(t *testing.T, _ common.Values, c cluster) {
		for name, d := range c.deployments {
			p := container(t, d)
			seen := map[string]bool{}
			for _, e := range p.Env {
				if seen[e.Name] {
					t.Errorf("%s: %s is there twice", name, e.Name)
				}
				seen[e.Name] = true
				program.Read(t, e.Name)
				file := strings.HasPrefix(e.Value, "/") || strings.HasPrefix(e.Value, "file:/")
				if secret.MatchString(e.Name) && e.ValueFrom == nil && !file {
					t.Errorf("%s: %s stands in the environment in clear", name, e.Name)
				}
			}
			for _, need := range []string{"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "MUSTER_ORG", "MUSTER_DATA"} {
				if !seen[need] {
					t.Errorf("%s is not told %s", name, need)
				}
			}
		}
	})
}

// TestPaths asks that every file and folder that a pod is told of is in one of its volumes, that every volume is mounted, and that it may
// write into its data and /tmp and into nothing else.
func TestPaths(t *testing.T) {
	each(t, func(t *testing.T, _ common.Values, c cluster) {
		for name, d := range c.deployments {
			p := container(t, d)
			volumes := map[string]corev1.Volume{}
			for _, v := range d.Spec.Template.Spec.Volumes {
				volumes[v.Name] = v
				if v.PersistentVolumeClaim != nil && strings.HasPrefix(v.PersistentVolumeClaim.ClaimName, strings.TrimSuffix(name, name[strings.LastIndex(name, "-"):])) {
					if c.claims[v.PersistentVolumeClaim.ClaimName] == nil {
						t.Errorf("%s claims %s, which is not there", name, v.PersistentVolumeClaim.ClaimName)
					}
				}
				if v.ConfigMap != nil && strings.HasPrefix(v.ConfigMap.Name, release) {
					for _, item := range v.ConfigMap.Items {
						if _, ok := c.maps[v.ConfigMap.Name].Data[item.Key]; !ok {
							t.Errorf("%s: %s has no %s", name, v.ConfigMap.Name, item.Key)
						}
					}
				}
				if v.Secret != nil && (v.Secret.DefaultMode == nil || *v.Secret.DefaultMode != 0o440) {
					t.Errorf("%s: the files of %s are of mode %v; want 440, as Muster wants its keys", name, v.Secret.SecretName, v.Secret.DefaultMode)
				}
			}
			mounted := map[string]bool{}
			var writable []string
			for _, m := range p.VolumeMounts {
				if _, ok := volumes[m.Name]; !ok || mounted[m.Name] {
					t.Errorf("%s mounts %s, which is there: %v, and mounted already: %v", name, m.Name, ok, mounted[m.Name])
				}
				mounted[m.Name] = true
				if m.SubPath != "" {
					t.Errorf("%s: %s is mounted by a part, which is never renewed", name, m.Name)
				}
				if !m.ReadOnly {
					writable = append(writable, m.MountPath)
				}
			}
			if len(mounted) != len(volumes) {
				t.Errorf("%s mounts %d of %d volumes", name, len(mounted), len(volumes))
			}
			want := []string{"/tmp", "/var/lib/muster", "/var/lib/muster/reports"}
			if strings.HasSuffix(name, "-serve") {
				want = want[:2]
			}
			if slices.Sort(writable); !slices.Equal(writable, want) {
				t.Errorf("%s may write into %v, want %v", name, writable, want)
			}
			told := slices.Clone(p.Args)
			for _, e := range p.Env {
				told = append(told, e.Value)
			}
			for _, text := range told {
				if file := regexp.MustCompile(`(?:^|=|file:)(/[a-z].*)$`).FindStringSubmatch(text); file != nil && !within(p, volumes, file[1]) {
					t.Errorf("%s is told of %s, which is in no volume", name, file[1])
				}
			}
			if !slices.ContainsFunc(p.VolumeMounts, func(m corev1.VolumeMount) bool {
				return m.Name == "reports" && m.MountPath == "/var/lib/muster/reports"
			}) {
				t.Errorf("%s has no part in the reports", name)
			}
		}
	})
	if kept := program.Lines(t, "worker/adapters.go", `^func reports\(data string\) string \{ return filepath.Join\(data, "(\w+)"\) \}$`); !slices.Equal(kept, []string{"reports"}) {
		t.Errorf("reports are kept in %v of the data folder", kept)
	}
}

// within tells whether a file is in a volume: one of the items that it has, where it has only some.
func within(p corev1.Container, volumes map[string]corev1.Volume, file string) bool {
	for _, m := range p.VolumeMounts {
		below, ok := strings.CutPrefix(file+"/", m.MountPath+"/")
		if !ok {
			continue
		}
		if s := volumes[m.Name].Secret; s != nil && len(s.Items) > 0 {
			return slices.ContainsFunc(s.Items, func(i corev1.KeyToPath) bool { return i.Path == path.Clean(below) })
		}
		return true
	}
	return false
}

// TestProbes asks that Kubernetes asks where Muster says how it is, that living needs nothing else, and that nobody is killed while it stops.
func TestProbes(t *testing.T) {
	each(t, func(t *testing.T, _ common.Values, c cluster) {
		for name, d := range c.deployments {
			p := container(t, d)
			for want, probe := range map[string]*corev1.Probe{"/livez": p.LivenessProbe, "/livez ": p.StartupProbe, "/readyz": p.ReadinessProbe} {
				if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Path != strings.TrimSpace(want) || probe.HTTPGet.Port.StrVal != "http" {
					t.Errorf("%s: probe %+v, want %s", name, probe, want)
					continue
				}
				program.Answers(t, probe.HTTPGet.Path)
			}
			stop := program.StopTime(t, p.Args[0])
			if h := p.Lifecycle; h != nil {
				stop += int(h.PreStop.Sleep.Seconds)
			}
			grace := d.Spec.Template.Spec.TerminationGracePeriodSeconds
			if grace == nil {
				t.Errorf("%s has no time to stop", name)
			} else if int(*grace) <= stop {
				t.Errorf("%s is killed after %d s, and may take %d to stop", name, *grace, stop)
			}
		}
	})
}

// TestContained asks that pods run as nobody, on a file system that they cannot change, without any right and without a token of the cluster,
// within limits.
func TestContained(t *testing.T) {
	each(t, func(t *testing.T, _ common.Values, c cluster) {
		for name, d := range c.deployments {
			pod, p := d.Spec.Template.Spec, container(t, d)
			text, err := json.Marshal([]any{pod.SecurityContext, p.SecurityContext, pod.AutomountServiceAccountToken, pod.EnableServiceLinks})
			if err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf(`[{"runAsUser":%[1]d,"runAsGroup":%[1]d,"runAsNonRoot":true,"fsGroup":%[1]d,"fsGroupChangePolicy":"OnRootMismatch",`+
				`"seccompProfile":{"type":"RuntimeDefault"}},{"capabilities":{"drop":["ALL"]},"readOnlyRootFilesystem":true,`+
				`"allowPrivilegeEscalation":false},false,false]`, program.ID)
			if string(text) != want {
				t.Errorf("%s:\ngot  %s\nwant %s", name, text, want)
			}
			if pod.HostNetwork || pod.HostPID || pod.HostIPC {
				t.Errorf("%s is not kept apart from its node", name)
			}
			if p.Resources.Requests.Cpu().IsZero() || p.Resources.Requests.Memory().IsZero() || p.Resources.Limits.Memory().IsZero() {
				t.Errorf("%s: resources %v", name, p.Resources)
			}
			if account := c.accounts[pod.ServiceAccountName]; account == nil && name != "incidents-serve" && name != "incidents-worker" {
				t.Errorf("%s runs for %s, which is not there", name, pod.ServiceAccountName)
			}
		}
	})
	if user := program.Lines(t, "Dockerfile", `^USER (\S+)`); !slices.Equal(user, []string{fmt.Sprintf("%[1]d:%[1]d", program.ID)}) {
		t.Errorf("Dockerfile: got user %v", user)
	}
}

// TestOneWriter asks that a file of SQLite, and the log of the archive, never have two writers, and that both outlive the release.
func TestOneWriter(t *testing.T) {
	each(t, func(t *testing.T, values common.Values, c cluster) {
		_, stored := values["store"]
		for name, d := range c.deployments {
			for _, v := range d.Spec.Template.Spec.Volumes {
				if v.Name != "data" {
					continue
				}
				own := v.PersistentVolumeClaim != nil
				if want := strings.HasSuffix(name, "-archive") || strings.HasSuffix(name, "-serve") && !stored; own != want {
					t.Errorf("%s: its data stays: %v, want %v", name, own, want)
				}
				if own && (*d.Spec.Replicas != 1 || d.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType) {
					t.Errorf("%s: %d pods, %s, have the same data", name, *d.Spec.Replicas, d.Spec.Strategy.Type)
				}
			}
		}
		for name, claim := range c.claims {
			if claim.Annotations["helm.sh/resource-policy"] != "keep" {
				t.Errorf("%s goes with the release", name)
			}
			shared := strings.HasSuffix(name, "-reports")
			if many := slices.Contains(claim.Spec.AccessModes, corev1.ReadWriteMany); many != shared {
				t.Errorf("%s: %v", name, claim.Spec.AccessModes)
			}
		}
	})
}

// TestTheFolderIsWhole asks that the organisation folder comes out of the ConfigMap as it went in.
func TestTheFolderIsWhole(t *testing.T) {
	values := settings(t)["minimal"]
	c := install(t, values)
	got := map[string]any{}
	for _, v := range c.deployments["release-muster-worker"].Spec.Template.Spec.Volumes {
		if v.Name == "organisation" {
			for _, item := range v.ConfigMap.Items {
				got[item.Path] = c.maps[v.ConfigMap.Name].Data[item.Key]
			}
		}
	}
	want, err := values.Table("organisation.files")
	if err != nil || !maps.Equal(got, want.AsMap()) {
		t.Errorf("got %v, want %v, %v", got, want, err)
	}
}

// TestMisuse asks that what cannot be, or is not known, is refused before anything is installed, and why.
func TestMisuse(t *testing.T) {
	tests := map[string]struct{ change, want string }{
		"no Temporal":           {`temporal: {address: ""}`, "temporal.address: missing"},
		"no port":               {`temporal: {address: temporal}`, "temporal/address"},
		"no keys":               {`keys: {secret: ""}`, "keys.secret: missing"},
		"no folder":             {`organisation: {files: null}`, "organisation.files, organisation.volume: want one of them"},
		"two folders":           {`organisation: {volume: {emptyDir: {}}}`, "want one of them, not both"},
		"a path that leads out": {`organisation: {files: {../x.yaml: ""}}`, "'../x.yaml' does not match"},
		"two names in one":      {`organisation: {files: {plans__x.yaml: ""}}`, "organisation.files: plans__x.yaml: two low lines"},
		"two without a store":   {`serve: {replicas: 2}`, "serve.replicas: more than one want store.secret"},
		"none":                  {`serve: {replicas: 0}`, "serve/replicas"},
		"a folder as archive":   {`archive: {url: /var/lib/muster/archive}`, "archive/url"},
		"an archive, no key":    {`archive: {url: s3://acme}`, "archive.keySecret: missing"},
		"encrypted, no keys":    {`archive: {url: s3://acme, keySecret: k, encrypted: true}`, "there is no payloadKeys.secret to encrypt with"},
		"decrypted, no keys":    {`serve: {codecOrigins: [https://t.example.com]}`, "there is no payloadKeys.secret to decrypt with"},
		"an authority alone":    {`temporal: {tls: {ca: true}}`, "temporal.tls.ca: there is no temporal.tls.secret"},
		"an ingress, no host":   {`serve: {ingress: {enabled: true}}`, "serve.ingress.host: missing"},
		"a slip":                {`replicas: 3`, "additional properties 'replicas' not allowed"},
		"a slip below":          {`worker: {replica: 3}`, "additional properties 'replica' not allowed"},
		"a token in clear":      {`temporal: {apiKey: {value: abc}}`, "additional properties 'value' not allowed"},
	}
	for name, tt := range tests {
		var change map[string]any
		if err := yaml.Unmarshal([]byte(tt.change), &change); err != nil {
			t.Fatal(err)
		}
		values := loader.MergeMaps(settings(t)["minimal"], change)
		if _, err := render(values); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
	if _, err := render(nil); err == nil || !strings.Contains(err.Error(), "temporal.address: missing") {
		t.Errorf("no values at all: got %v", err)
	}
}

// TestDescribed asks that the schema and values.yaml know the same values, and that each has a word of explanation or speaks for itself beside
// one that has.
func TestDescribed(t *testing.T) {
	var schema map[string]any
	text, err := os.ReadFile(filepath.Join(folder, "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	defaults, err := common.ReadValuesFile(filepath.Join(folder, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "", schema, defaults)
}

func compare(t *testing.T, at string, schema map[string]any, values map[string]any) {
	t.Helper()
	known, _ := schema["properties"].(map[string]any)
	if known == nil {
		return
	}
	if schema["additionalProperties"] != false {
		t.Errorf("values.schema.json: unknown keys of %q are taken", at)
	}
	for key, below := range known {
		value, ok := values[key]
		if !ok && at+key != "global" && !strings.HasSuffix(at, "resources.") {
			t.Errorf("values.yaml does not have %s%s", at, key)
		}
		if m, ok := value.(map[string]any); ok {
			compare(t, at+key+".", below.(map[string]any), m)
		}
	}
}

// TestNotes asks that what people are told to run is there.
func TestNotes(t *testing.T) {
	each(t, func(t *testing.T, _ common.Values, c cluster) {
		runs := regexp.MustCompile(`exec deploy/(\S+) -- /muster (.*)`).FindAllStringSubmatch(c.notes, -1)
		if len(runs) != 2 {
			t.Errorf("the notes have %d commands:\n%s", len(runs), c.notes)
		}
		for _, m := range runs {
			if c.deployments[m[1]] == nil {
				t.Errorf("there is no %s", m[1])
			}
			program.Understood(t, strings.Fields(m[2])...)
		}
	})
}
