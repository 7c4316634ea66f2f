{{/* What each container of a part has; {root, part} */}}
{{- define "headwater.container" -}}
image: "{{ .root.Values.image.repository }}:{{ .root.Values.image.tag }}"
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
env:
  - name: HEADWATER_CONFIG
    value: /etc/headwater/headwater.toml
  - name: HEADWATER_LOGGING__FORMAT
    value: json
volumeMounts:
  - {name: home, mountPath: /var/lib/headwater}
  - {name: tmp, mountPath: /tmp}
  - {name: config, mountPath: /etc/headwater, readOnly: true}
  {{- if .root.Values.existingSecret }}
  - {name: secrets, mountPath: /run/secrets/headwater, readOnly: true}
  {{- end }}
{{- end -}}

{{/* {root, location, number} */}}
{{- define "headwater.codeServer" -}}
name: code-{{ .location }}
args: [serve, code-server, {{ .location }}, --listen, "0.0.0.0:{{ add 4000 .number }}"]
ports:
  - {name: code-{{ .number }}, containerPort: {{ add 4000 .number }}}
startupProbe:
  grpc: {port: {{ add 4000 .number }}, service: DagsterApi}
  periodSeconds: 5
  failureThreshold: 60
readinessProbe:
  grpc: {port: {{ add 4000 .number }}, service: DagsterApi}
  periodSeconds: 10
  timeoutSeconds: 5
livenessProbe:
  grpc: {port: {{ add 4000 .number }}, service: DagsterApi}
  periodSeconds: 30
  timeoutSeconds: 10
  failureThreshold: 10
resources: {{- toYaml .root.Values.resources.codeServer | nindent 2 }}
{{ include "headwater.container" . }}
{{- end -}}

{{- define "headwater.webserver" -}}
name: webserver
args:
  - serve
  - webserver
  - --listen
  - "0.0.0.0:3000"
  {{- include "headwater.codeServers" .root | nindent 2 }}
ports:
  - {name: http, containerPort: 3000}
startupProbe:
  httpGet: {path: /server_info, port: http}
  periodSeconds: 5
  failureThreshold: 120
readinessProbe:
  httpGet: {path: /server_info, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
livenessProbe:
  httpGet: {path: /server_info, port: http}
  periodSeconds: 30
  timeoutSeconds: 10
  failureThreshold: 6
resources: {{- toYaml .root.Values.resources.webserver | nindent 2 }}
{{ include "headwater.container" . }}
{{- end -}}

{{/* No probe: it ends by itself when one of its threads does, and is started again. */}}
{{- define "headwater.daemon" -}}
name: daemon
args:
  - serve
  - daemon
  - --webserver
  - {{ include "headwater.webserverAddress" .root | quote }}
  {{- include "headwater.codeServers" .root | nindent 2 }}
resources: {{- toYaml .root.Values.resources.daemon | nindent 2 }}
{{ include "headwater.container" . }}
{{- end -}}

{{- define "headwater.schemaRegistry" -}}
name: schema-registry
args: [serve, schema-registry, --cell, {{ first .root.Values.locations }}, --listen, "0.0.0.0:8081"]
ports:
  - {name: registry, containerPort: 8081}
readinessProbe:
  httpGet: {path: /, port: registry}
livenessProbe:
  httpGet: {path: /, port: registry}
  periodSeconds: 30
  failureThreshold: 6
resources: {{- toYaml .root.Values.resources.schemaRegistry | nindent 2 }}
{{ include "headwater.container" . }}
{{- end -}}

{{/* All of a pod but its containers and its home. */}}
{{- define "headwater.pod" -}}
serviceAccountName: {{ include "headwater.serviceAccount" . }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 30
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "headwater.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: {{ .Values.scratch.sizeLimit }}}
- name: config
  configMap: {name: {{ include "headwater.name" . }}}
{{- if .Values.existingSecret }}
- name: secrets
  secret: {secretName: {{ .Values.existingSecret }}, defaultMode: 0440}
{{- end }}
{{- end -}}
