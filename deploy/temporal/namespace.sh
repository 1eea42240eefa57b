#!/bin/sh
# Makes Muster's namespace with its search attributes, and waits until lists know them. It may run again at any time.
set -eu
until temporal operator cluster health >/dev/null; do sleep 1; done
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
	temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 30d
attribute() { temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$1" --type "$2"; }
until attribute MusterId Keyword; do sleep 1; done # a new namespace is known everywhere after some seconds
attribute MusterStatus Keyword
attribute MusterPriority Int
attribute MusterService Keyword
attribute MusterCustomers KeywordList
attribute MusterNextDue Datetime
attribute MusterKind Keyword
until temporal workflow count --query 'MusterKind IS NULL' >/dev/null; do sleep 1; done
