{{- define "muster.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* Names leave room for what is appended: Kubernetes takes 63 letters. */}}
{{- define "muster.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 45 | trimSuffix "-" }}
{{- else if contains (include "muster.name" .) .Release.Name }}
{{- .Release.Name | trunc 45 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "muster.name" .) | trunc 45 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "muster.selector" -}}
app.kubernetes.io/name: {{ include "muster.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "muster.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "muster.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "muster.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "muster.fullname" .) .Values.serviceAccount.name }}{{ else }}{{ default "default" .Values.serviceAccount.name }}{{ end }}
{{- end }}

{{/* What cannot be is refused before anything is installed. */}}
{{- define "muster.check" -}}
{{- if not .Values.temporal.address }}{{ fail "temporal.address: missing; such as temporal-frontend.temporal:7233" }}{{ end }}
{{- if not .Values.keys.secret }}{{ fail "keys.secret: missing; a Secret with keys.json, which muster keys signing new makes" }}{{ end }}
{{- if and (not .Values.organisation.files) (not .Values.organisation.volume) }}{{ fail "organisation.files, organisation.volume: want one of them: it is the organisation folder" }}{{ end }}
{{- if and .Values.organisation.files .Values.organisation.volume }}{{ fail "organisation.files, organisation.volume: want one of them, not both" }}{{ end }}
{{- range $path, $_ := .Values.organisation.files }}{{ if contains "__" $path }}{{ fail (printf "organisation.files: %s: two low lines stand for the slash in the ConfigMap: want another name" $path) }}{{ end }}{{ end }}
{{- if and (gt (int .Values.serve.replicas) 1) (not .Values.store.secret) }}{{ fail "serve.replicas: more than one want store.secret: each would know other tokens and sessions" }}{{ end }}
{{- if and .Values.archive.url (not .Values.archive.keySecret) }}{{ fail "archive.keySecret: missing; a Secret with archive.key and archive.pub" }}{{ end }}
{{- if and .Values.archive.encrypted (not .Values.payloadKeys.secret) }}{{ fail "archive.encrypted: there is no payloadKeys.secret to encrypt with" }}{{ end }}
{{- if and .Values.serve.codecOrigins (not .Values.payloadKeys.secret) }}{{ fail "serve.codecOrigins: there is no payloadKeys.secret to decrypt with" }}{{ end }}
{{- if and .Values.temporal.tls.ca (not .Values.temporal.tls.secret) }}{{ fail "temporal.tls.ca: there is no temporal.tls.secret that could have it" }}{{ end }}
{{- if and .Values.serve.ingress.enabled (not .Values.serve.ingress.host) }}{{ fail "serve.ingress.host: missing" }}{{ end }}
{{- end }}

{{/* The store, all of it in one place: what a container is told, what it mounts, and the volume. */}}
{{- define "muster.storeEnv" -}}
{{- if .Values.store.secret }}
- name: MUSTER_STORE
  value: file:/etc/muster/store/url
{{- end }}
{{- end }}
{{- define "muster.storeMount" -}}
{{- if .Values.store.secret }}
- name: store
  mountPath: /etc/muster/store
  readOnly: true
{{- end }}
{{- end }}
{{- define "muster.storeVolume" -}}
{{- if .Values.store.secret }}
- name: store
  secret:
    secretName: {{ .Values.store.secret }}
    defaultMode: 0440
    items:
      - key: {{ .Values.store.key }}
        path: url
{{- end }}
{{- end }}

{{/* What every process is told. */}}
{{- define "muster.env" -}}
- name: TEMPORAL_ADDRESS
  value: {{ .Values.temporal.address | quote }}
- name: TEMPORAL_NAMESPACE
  value: {{ .Values.temporal.namespace | quote }}
{{- with .Values.temporal.apiKey }}
{{- if .secret }}
- name: TEMPORAL_API_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end }}
{{- end }}
{{- with .Values.temporal.tls }}
{{- if or .enabled .secret }}
- name: TEMPORAL_TLS
  value: "true"
{{- end }}
{{- if .secret }}
- name: TEMPORAL_TLS_CLIENT_CERT_PATH
  value: /etc/muster/temporal/tls.crt
- name: TEMPORAL_TLS_CLIENT_KEY_PATH
  value: /etc/muster/temporal/tls.key
{{- end }}
{{- if .ca }}
- name: TEMPORAL_TLS_SERVER_CA_CERT_PATH
  value: /etc/muster/temporal/ca.crt
{{- end }}
{{- if .serverName }}
- name: TEMPORAL_TLS_SERVER_NAME
  value: {{ .serverName | quote }}
{{- end }}
{{- end }}
- name: MUSTER_ORG
  value: {{ printf "/etc/muster/org/%s" .Values.organisation.path | trimSuffix "/" | quote }}
- name: MUSTER_DATA
  value: /var/lib/muster
{{- if .Values.payloadKeys.secret }}
- name: MUSTER_PAYLOAD_KEYS
  value: /etc/muster/payload-keys/payload-keys.json
{{- end }}
{{- include "muster.storeEnv" . }}
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What every process mounts but its data. The keys are a whole folder: a file that is mounted alone would never be renewed. */}}
{{- define "muster.mounts" -}}
- name: tmp
  mountPath: /tmp
- name: data
  mountPath: /var/lib/muster
- name: organisation
  mountPath: /etc/muster/org
  readOnly: true
- name: keys
  mountPath: /etc/muster/keys
  readOnly: true
{{- if .Values.payloadKeys.secret }}
- name: payload-keys
  mountPath: /etc/muster/payload-keys
  readOnly: true
{{- end }}
{{- if .Values.temporal.tls.secret }}
- name: temporal
  mountPath: /etc/muster/temporal
  readOnly: true
{{- end }}
{{- if .Values.organisation.secretFiles }}
- name: secrets
  mountPath: /etc/muster/secrets
  readOnly: true
{{- end }}
{{- include "muster.storeMount" . }}
{{- end }}

{{- define "muster.volumes" -}}
- name: tmp
  emptyDir: {}
- name: organisation
  {{- if .Values.organisation.volume }}
  {{- toYaml .Values.organisation.volume | nindent 2 }}
  {{- else }}
  configMap:
    name: {{ include "muster.fullname" . }}-organisation
    items:
      {{- range $path, $_ := .Values.organisation.files }}
      - key: {{ $path | replace "/" "__" }}
        path: {{ $path }}
      {{- end }}
  {{- end }}
- name: keys
  secret:
    secretName: {{ .Values.keys.secret }}
    defaultMode: 0440
    items:
      - key: keys.json
        path: keys.json
- name: reports
  {{- if .Values.reports.volume }}
  {{- toYaml .Values.reports.volume | nindent 2 }}
  {{- else }}
  persistentVolumeClaim:
    claimName: {{ include "muster.fullname" . }}-reports
  {{- end }}
{{- if .Values.payloadKeys.secret }}
- name: payload-keys
  secret:
    secretName: {{ .Values.payloadKeys.secret }}
    defaultMode: 0440
    items:
      - key: payload-keys.json
        path: payload-keys.json
{{- end }}
{{- if .Values.temporal.tls.secret }}
- name: temporal
  secret:
    secretName: {{ .Values.temporal.tls.secret }}
    defaultMode: 0440
{{- end }}
{{- if .Values.organisation.secretFiles }}
- name: secrets
  secret:
    secretName: {{ .Values.organisation.secretFiles }}
    defaultMode: 0440
{{- end }}
{{- include "muster.storeVolume" . }}
{{- end }}

{{- define "muster.envFrom" -}}
{{- range .Values.organisation.secretEnv }}
- secretRef:
    name: {{ . }}
{{- end }}
{{- end }}

{{/* Credentials of the archive, for those who write into it. */}}
{{- define "muster.archiveEnvFrom" -}}
{{- if and .Values.archive.url .Values.archive.credentialsSecret }}
- secretRef:
    name: {{ .Values.archive.credentialsSecret }}
{{- end }}
{{- end }}

{{/* What a pod says of itself, but its containers and volumes. Takes the root, the name of the component and its values. */}}
{{- define "muster.pod" -}}
{{- $root := index . 0 }}{{ $component := index . 1 }}{{ $values := index . 2 }}
serviceAccountName: {{ include "muster.serviceAccount" $root }}
automountServiceAccountToken: false
enableServiceLinks: false
# A worker takes 46 seconds at most to let what it does end; serve takes 45, and goes on answering for 5 before.
terminationGracePeriodSeconds: 60
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $root.Values.spreadOver }}
topologySpreadConstraints:
  {{- range . }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "muster.selector" $root | nindent 8 }}
        app.kubernetes.io/component: {{ $component }}
  {{- end }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What the container of every process has, but its image. */}}
{{- define "muster.container" -}}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
startupProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 5
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}

{{/* A worker. Takes the root, the name of the component, its values, and more of its command line. */}}
{{- define "muster.worker" -}}
{{- $root := index . 0 }}{{ $component := index . 1 }}{{ $values := index . 2 }}{{ $more := index . 3 -}}
containers:
  - name: worker
    args:
      - worker
      - --listen=:8080
      - --keys=/etc/muster/keys/keys.json
      {{- range $more }}
      - {{ . | quote }}
      {{- end }}
    image: {{ printf "%s:%s" $root.Values.image.repository (default $root.Chart.AppVersion $root.Values.image.tag) | quote }}
    {{- include "muster.container" $root | nindent 4 }}
    resources:
      {{- toYaml $values.resources | nindent 6 }}
    ports:
      - {name: http, containerPort: 8080}
    env:
      {{- include "muster.env" $root | nindent 6 }}
    {{- $from := include "muster.envFrom" $root }}
    {{- if eq $component "archive" }}{{ $from = print $from (include "muster.archiveEnvFrom" $root) }}{{ end }}
    {{- with $from }}
    envFrom:
      {{- . | nindent 6 }}
    {{- end }}
    volumeMounts:
      {{- include "muster.mounts" $root | nindent 6 }}
      - name: reports
        mountPath: /var/lib/muster/reports
      {{- if eq $component "archive" }}
      - name: archive-key
        mountPath: /etc/muster/archive
        readOnly: true
      {{- end }}
{{- end }}
