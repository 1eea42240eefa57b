package org

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The files of an organisation folder, each of which may only refer to what stands in it or in one before it.
const (
	settingsFile  = "organisation.yaml"
	calendarsFile = "calendars.yaml"
	sourcesFile   = "sources.yaml"
	partiesFile   = "parties.yaml"
	plansFile     = "support-plans.yaml"
	customersFile = "customers.yaml"
	peopleFile    = "people.yaml"
	schedulesFile = "schedules.yaml"
	policiesFile  = "escalation-policies.yaml"
	servicesFile  = "services.yaml"
	routesFile    = "routes.yaml"
)

func files() []string {
	return []string{
		settingsFile, calendarsFile, sourcesFile, partiesFile, plansFile, customersFile, peopleFile, schedulesFile, policiesFile,
		servicesFile, routesFile,
	}
}

// mayBeMissing tells whether a folder is whole without a file.
func mayBeMissing(file string) bool { return file == partiesFile }

const maxFile = 1 << 20

// A folder is what stood in an organisation folder at one moment, unread.
type folder struct {
	dir      string
	files    map[string][]byte
	revision string
	changed  time.Time
	faults   []Fault
}

// readFolder reads the definition files, and iCalendar files that they may name. Everything else in the folder, such as a
// README or a file with a secret, is left alone, but not a YAML file that nobody would read: its name is a slip.
func readFolder(dir string) (*folder, error) {
	found, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("load organisation %s: %w", dir, unwrapPath(err))
	}
	f := &folder{dir: dir, files: map[string][]byte{}}
	names := slices.DeleteFunc(files(), mayBeMissing)
	for _, e := range found {
		switch name := e.Name(); {
		case isICS(name), mayBeMissing(name):
			names = append(names, name)
		case isYAML(name) && !slices.Contains(files(), name):
			f.fault(name, "not a file of an organisation folder; "+hint(name, files()))
		}
	}
	sum := sha256.New()
	for _, name := range slices.Sorted(slices.Values(names)) {
		content, info, err := readRegular(filepath.Join(dir, name), maxFile)
		f.files[name] = content // nil: there, or to be there, and unread
		if err != nil {
			f.fault(name, whyUnread(err))
			continue
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(content), content)
		if info.ModTime().After(f.changed) {
			f.changed = info.ModTime()
		}
	}
	for _, fault := range f.faults { // what is wrong beside the content is part of what was seen
		fmt.Fprintln(sum, fault)
	}
	f.revision = hex.EncodeToString(sum.Sum(nil))[:12]
	return f, nil
}

func (f *folder) fault(file, text string) { f.faults = append(f.faults, Fault{File: file, Text: text}) }

func isYAML(name string) bool {
	ext := filepath.Ext(name)
	return (ext == ".yaml" || ext == ".yml") && !strings.HasPrefix(name, ".")
}

func whyUnread(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "missing; it must be there, even if its list is empty"
	}
	return "cannot be read: " + unwrapPath(err).Error()
}

// unwrapPath leaves out the path, which the message has already.
func unwrapPath(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
