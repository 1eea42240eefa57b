package org

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"muster/internal/report"
)

// The files of an organisation folder, each of which may only refer to what stands in it or in one before it.
const (
	settingsFile  = "organisation.yaml"
	calendarsFile = "calendars.yaml"
	sourcesFile   = "sources.yaml"
	beatsFile     = "heartbeats.yaml"
	routinesFile  = "routines.yaml"
	partiesFile   = "parties.yaml"
	entitledFile  = "entitlements.yaml"
	plansFile     = "support-plans.yaml"
	customersFile = "customers.yaml"
	freezesFile   = "freezes.yaml"
	peopleFile    = "people.yaml"
	groupsFile    = "groups.yaml"
	schedulesFile = "schedules.yaml"
	policiesFile  = "escalation-policies.yaml"
	agreedFile    = "agreements.yaml"
	servicesFile  = "services.yaml"
	automaticFile = "automatic-responses.yaml"
	routesFile    = "routes.yaml"
	silencesFile  = "silences.yaml"
	changesFile   = "changes.yaml"
	assetsFile    = "assets.yaml"
)

func files() []string {
	return []string{
		settingsFile, calendarsFile, sourcesFile, beatsFile, partiesFile, entitledFile, plansFile, customersFile, freezesFile, peopleFile, groupsFile, schedulesFile, policiesFile, agreedFile,
		servicesFile, automaticFile, routesFile, silencesFile, routinesFile, changesFile, assetsFile,
	}
}

// mayBeMissing tells whether a folder is whole without a file.
func mayBeMissing(file string) bool {
	return slices.Contains([]string{
		partiesFile, groupsFile, entitledFile, freezesFile, beatsFile, silencesFile, routinesFile, changesFile, automaticFile, agreedFile, assetsFile,
	}, file)
}

// folderOf is where the files stand into which a file may be split.
func folderOf(file string) string { return strings.TrimSuffix(file, ".yaml") }

// mayBeSplit tells whether a file is a list without an order.
func mayBeSplit(file string) bool {
	return file != settingsFile && file != routesFile && file != changesFile && file != agreedFile
}

const maxFiles = 1000

const maxFile = 1 << 20

// A folder is what stood in an organisation folder at one moment, unread.
type folder struct {
	dir      string
	files    map[string][]byte
	revision string
	changed  time.Time
	faults   []Fault
}

// readFolder reads the definition files, the runbooks, iCalendar files that they may name, and forms of reports. Everything else in the
// folder, such as a README or a file with a secret, is left alone, but not a YAML file that nobody would read: its name is a slip.
func readFolder(dir string) (*folder, error) {
	found, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("load organisation %s: %w", dir, unwrapPath(err))
	}
	f := &folder{dir: dir, files: map[string][]byte{}}
	f.touched(dir)
	var names []string
	for _, e := range found {
		switch name := e.Name(); {
		case isICS(name), slices.Contains(files(), name):
			names = append(names, name)
		case isYAML(name) && folderOf(name) == plansFolder:
			f.fault(name, "want one plan in each file of the folder "+plansFolder+"/")
		case isYAML(name):
			f.fault(name, "not a file of an organisation folder; "+hint(name, files()))
		}
	}
	for _, file := range files() {
		split := f.split(folderOf(file))
		if !mayBeSplit(file) {
			for _, name := range split {
				f.fault(name, "want all of it in "+file)
			}
			split = nil
		}
		if len(split) == 0 && !mayBeMissing(file) && !slices.Contains(names, file) {
			split = []string{file} // and says that it is missing
		}
		names = append(names, split...)
	}
	names = append(names, f.runbookFiles()...)
	names = append(names, f.split(plansFolder)...)
	names = append(names, f.forms()...)
	if len(names) > maxFiles {
		return nil, fmt.Errorf("load organisation %s: %d files; want at most %d", dir, len(names), maxFiles)
	}
	sum := sha256.New()
	for _, name := range slices.Sorted(slices.Values(names)) {
		most := int64(maxFile)
		if strings.HasPrefix(name, formsFolder+"/") {
			most = report.MaxForm
		}
		content, info, err := readRegular(filepath.Join(dir, filepath.FromSlash(name)), most)
		f.files[name] = content // nil: there, or to be there, and unread
		if err != nil {
			f.fault(name, whyUnread(err))
			continue
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(content), content)
		f.newest(info)
	}
	for _, fault := range f.faults { // what is wrong beside the content is part of what was seen
		fmt.Fprintln(sum, fault)
	}
	f.revision = hex.EncodeToString(sum.Sum(nil))[:12]
	return f, nil
}

// touched takes in when something was put into a directory or taken out of it: the newest file may be the one that is gone.
func (f *folder) touched(dir string) {
	if info, err := os.Stat(dir); err == nil {
		f.newest(info)
	}
}

func (f *folder) newest(info fs.FileInfo) {
	if info.ModTime().After(f.changed) {
		f.changed = info.ModTime()
	}
}

// split returns the files of one kind in a folder of their own: support-plans/acme.yaml beside or instead of
// support-plans.yaml.
func (f *folder) split(into string) (names []string) {
	found, err := os.ReadDir(filepath.Join(f.dir, into))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.fault(into, whyUnread(err))
	}
	if err == nil {
		f.touched(filepath.Join(f.dir, into))
	}
	for _, e := range found {
		switch name := into + "/" + e.Name(); {
		case !isYAML(e.Name()):
		case filepath.Ext(name) == ".yaml":
			names = append(names, name)
		default:
			f.fault(name, "want a name that ends in .yaml")
		}
	}
	return names
}

// planFiles returns the files of plans among those of a folder.
func planFiles(files map[string][]byte) (names []string) {
	for name := range files {
		if strings.HasPrefix(name, plansFolder+"/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// parts returns the files in which one kind of thing is defined, in their order.
func (f *folder) parts(file string) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		if name == file || strings.HasPrefix(name, folderOf(file)+"/") {
			names = append(names, name)
		}
	}
	return names
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
