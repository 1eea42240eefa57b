package node

import (
	"context"
	"errors"
	"fmt"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"muster/workflows"
)

// declare makes sure that the namespace has the search attributes, without which no incident starts. Those that are
// missing are added where that is allowed; where it is not, the error has the commands by which somebody who may does so.
func (n *Node) declare(ctx context.Context, host string) error {
	known, err := n.knownAttributes(ctx)
	if unanswered(err) {
		n.cfg.Log.Warn("search attributes not checked: without them no workflow runs", "namespace", n.namespace, "error", err)
		return nil
	}
	if _, none := errors.AsType[*serviceerror.NamespaceNotFound](err); none {
		return fmt.Errorf("namespace %s: temporal does not know it: make it with\n  %s", n.namespace, toolOf(host).namespace(n.namespace))
	}
	if err != nil {
		return fmt.Errorf("list search attributes of namespace %s: %w", n.namespace, err)
	}
	var faults []string
	var wrong, missing []attribute
	for _, k := range workflows.SearchAttributes() {
		a := attribute{k.GetName(), k.GetValueType()}
		has, ok := known[a.name]
		if ok && (has == a.kind || has == enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED) {
			continue
		}
		if !ok {
			err = n.add(ctx, a)
			if err == nil {
				continue
			}
			if away(err) {
				return err
			}
			faults = append(faults, fmt.Sprintf("%s is missing (%s)", a.name, err))
		} else {
			faults = append(faults, fmt.Sprintf("%s is of type %s, not %s", a.name, has, a.kind))
			wrong = append(wrong, a)
		}
		missing = append(missing, a)
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("search attributes of namespace %s: %s; no workflow can run there before this is done:\n  %s",
		n.namespace, strings.Join(faults, ", "), strings.Join(toolOf(host).attributes(n.namespace, wrong, missing), "\n  "))
}

// An attribute is a search attribute that a namespace should have.
type attribute struct {
	name string
	kind enumspb.IndexedValueType
}

// knownAttributes are the search attributes that the namespace has. Where they may not be listed, each is looked for: then nothing is
// said of their types.
func (n *Node) knownAttributes(ctx context.Context) (map[string]enumspb.IndexedValueType, error) {
	there, err := n.temporal.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: n.namespace})
	if !unanswered(err) {
		return there.GetCustomAttributes(), err
	}
	found := map[string]enumspb.IndexedValueType{}
	for _, k := range workflows.SearchAttributes() {
		_, err := n.temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Namespace: n.namespace, Query: "`" + k.GetName() + "` IS NOT NULL",
		})
		_, unknown := errors.AsType[*serviceerror.InvalidArgument](err)
		switch {
		case err == nil:
			found[k.GetName()] = enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED
		case !unknown:
			return nil, err
		}
	}
	return found, nil
}

// add adds a search attribute, which somebody else may have done meanwhile.
func (n *Node) add(ctx context.Context, a attribute) error {
	_, err := n.temporal.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: n.namespace, SearchAttributes: map[string]enumspb.IndexedValueType{a.name: a.kind},
	})
	if _, there := errors.AsType[*serviceerror.AlreadyExists](err); there {
		return nil
	}
	return err
}

// unanswered tells whether Temporal refuses the question, and not us.
func unanswered(err error) bool {
	_, denied := errors.AsType[*serviceerror.PermissionDenied](err)
	_, unknown := errors.AsType[*serviceerror.Unimplemented](err)
	return denied || unknown
}

// A tool is the command line by which people administer a Temporal.
type tool interface {
	namespace(name string) string
	attributes(namespace string, wrong, missing []attribute) []string
}

// toolOf is the tool for the Temporal at an address.
func toolOf(host string) tool {
	name, _, _ := strings.Cut(host, ":")
	if strings.HasSuffix(name, ".tmprl.cloud") || strings.HasSuffix(name, ".api.temporal.io") {
		return tcld{}
	}
	return temporalCLI{}
}

// temporalCLI is that of a Temporal of one's own.
type temporalCLI struct{}

func (temporalCLI) namespace(name string) string {
	return "temporal operator namespace create --namespace " + name + " --retention 30d"
}

func (temporalCLI) attributes(namespace string, wrong, missing []attribute) (commands []string) {
	for _, a := range wrong {
		commands = append(commands, fmt.Sprintf("temporal operator search-attribute remove --namespace %s --name %s", namespace, a.name))
	}
	for _, a := range missing {
		commands = append(commands, fmt.Sprintf("temporal operator search-attribute create --namespace %s --name %s --type %s", namespace, a.name, a.kind))
	}
	return commands
}

// tcld is that of Temporal Cloud, which renames attributes and removes none:
// https://docs.temporal.io/cloud/tcld/namespace#search-attributes
type tcld struct{}

func (tcld) namespace(name string) string {
	name, _, _ = strings.Cut(name, ".") // the rest is the account
	return "tcld namespace create --namespace " + name + " --region REGION --retention-days 30"
}

func (tcld) attributes(namespace string, wrong, missing []attribute) (commands []string) {
	for _, a := range wrong {
		commands = append(commands, fmt.Sprintf("tcld namespace search-attributes rename --namespace %s --existing-name %s --new-name %[2]sBefore", namespace, a.name))
	}
	add := "tcld namespace search-attributes add --namespace " + namespace
	for _, a := range missing {
		add += fmt.Sprintf(" --search-attribute \"%s=%s\"", a.name, a.kind)
	}
	return append(commands, add)
}
