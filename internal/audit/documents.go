package audit

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	historypb "go.temporal.io/api/history/v1"

	"muster/internal/bundle"
	"muster/internal/plan"
)

// Bounds of the documents in one bundle, so that its histories have room. What is beyond them is told, and stays on the shelf.
const (
	mostDocuments     = 500
	mostDocumentBytes = 64 << 20
)

// documents reads the reports that a run has written and people may have got, each revision byte for byte: files by their names. The
// error tells which of them are not there any more, or are not what the history says was written.
func (x *Exporter) documents(ctx context.Context, id string, runs []*historypb.History) (map[string][]byte, error) {
	var faults []error
	left, files := mostDocumentBytes, map[string][]byte{}
	wrote := written(id, runs)
	for _, name := range slices.Sorted(maps.Keys(wrote)) {
		content, err := x.Document(ctx, id+"/"+name)
		sum := fmt.Sprintf("%x", sha256.Sum256(content))
		switch {
		case err != nil:
		case sum != wrote[name]:
			err = fmt.Errorf("report %s/%s: its SHA-256 is %s, want %s as the history says", id, name, sum, wrote[name])
		case !bundle.Fits(bundle.ReportsFolder + name):
			err = fmt.Errorf("report %s/%s: a bundle has no part of that name", id, name)
		case len(files) == mostDocuments || len(content) > left:
			err = fmt.Errorf("report %s/%s: want at most %d reports of %d bytes together in a bundle", id, name, mostDocuments, mostDocumentBytes)
		default:
			files[name], left = content, left-len(content)
		}
		faults = append(faults, err)
	}
	return files, errors.Join(faults...)
}

// written are the SHA-256 of what activities have put on the shelf below the ID of a run, by the names of the files there. Work plans are
// none of it: they list the addresses and numbers by which people are reached, which stand in no record.
func written(id string, runs []*historypb.History) map[string]string {
	var found insight
	for _, h := range runs {
		for _, e := range h.GetEvents() {
			for _, p := range e.GetActivityTaskCompletedEventAttributes().GetResult().GetPayloads() {
				var result any
				if json.Unmarshal(p.GetData(), &result) == nil {
					found.walk("$", result)
				}
			}
		}
	}
	all := map[string]string{}
	for _, f := range found.evidence {
		folder, name := path.Split(filepath.ToSlash(f.Ref))
		if path.Base(folder) == id && !strings.HasPrefix(name, plan.WorkPlan+"-") {
			all[name] = f.SHA256
		}
	}
	return all
}
