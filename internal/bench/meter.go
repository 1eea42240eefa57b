package bench

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A meter reads clocks at its start: the wall's, this process's and the whole machine's.
type meter struct {
	began    time.Time
	own, all time.Duration
}

// used is what went by between the start and the end of a meter.
type used struct {
	wall   time.Duration
	cpu    time.Duration // of this process: server, worker, database and load together
	all    time.Duration // of the whole machine
	others float64       // cores that other programs used on average
}

func start() meter { return meter{began: time.Now(), own: processCPU(), all: machineCPU()} }

func (m meter) end() used {
	u := used{wall: time.Since(m.began), cpu: processCPU() - m.own}
	u.all = machineCPU() - m.all
	u.others = max(0, float64(u.all-u.cpu)/float64(u.wall))
	return u
}

// processCPU is what this process has used, in user and in kernel mode.
func processCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// machineCPU is what all programs have used, as far as the system tells.
func machineCPU() time.Duration {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	first, _, _ := bytes.Cut(stat, []byte("\n"))
	var busy time.Duration
	for n, field := range strings.Fields(string(first)) {
		const idle, ioWait, guest = 4, 5, 9 // guest time is part of user time
		if ticks, err := strconv.ParseInt(field, 10, 64); err == nil && n != idle && n != ioWait && n < guest {
			busy += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return busy
}

func cores() int { return runtime.NumCPU() }

// machine describes what the figures were taken on.
func machine(folder string) string {
	model := "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	memory := ""
	if info, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kb int64
		if _, err := fmt.Sscanf(string(info), "MemTotal: %d kB", &kb); err == nil {
			memory = fmt.Sprintf(", %d GB", kb>>20)
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%d cores (%s)%s, %s/%s, kernel %s, %s, database in %s", cores(), model, memory, runtime.GOOS,
		runtime.GOARCH, strings.TrimSpace(string(kernel)), runtime.Version(), filepath.Dir(folder))
}

// profile writes a CPU profile until the function that it returns is called, if a folder for profiles is given.
func (b *bench) profile(name string) (stop func(), err error) {
	if b.Profile == "" {
		return func() {}, nil
	}
	f, err := os.Create(filepath.Join(b.Profile, name+".pprof"))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}

// median returns the middle of what was measured, of two the smaller one.
func median[T cmp.Ordered](all []T) T { return quantile(all, 0.5) }

// paired compares ours with raw round by round and returns the median of the ratios: what else the machine does changes
// from round to round, and meets the two halves of one round most alike.
func paired[T any](raw, ours []T, value func(T) float64) float64 {
	var ratios []float64
	for i := range min(len(raw), len(ours)) {
		ratios = append(ratios, value(ours[i])/value(raw[i]))
	}
	return median(ratios)
}

// medianOf returns the median of one value of all.
func medianOf[T any](all []T, value func(T) float64) float64 {
	var vs []float64
	for _, x := range all {
		vs = append(vs, value(x))
	}
	return median(vs)
}

// quantile returns the value that a share of all does not exceed.
func quantile[T cmp.Ordered](all []T, share float64) T {
	var none T
	if len(all) == 0 {
		return none
	}
	sorted := slices.Sorted(slices.Values(all))
	at := int(share*float64(len(sorted))+0.999999) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}
