{{- define "headwater.name" -}}
{{- printf "%s" .Release.Name | trunc 30 | trimSuffix "-" -}}
{{- end -}}

{{/* Labels of a part; {root, part} */}}
{{- define "headwater.selector" -}}
app.kubernetes.io/name: headwater
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "headwater.labels" -}}
{{ include "headwater.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "headwater.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "headwater.name" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/* How webserver and daemon find the code: in one pod on loopback, else by the location's service. */}}
{{- define "headwater.codeServers" -}}
{{- $root := . -}}
{{- range $number, $location := .Values.locations }}
- --code-server
- {{ printf "%s=%s:%d" $location (ternary "127.0.0.1" (printf "%s-code-%s" (include "headwater.name" $root) $location) (eq $root.Values.mode "local")) (add 4000 $number) | quote }}
{{- end }}
{{- end -}}

{{- define "headwater.webserverAddress" -}}
{{- ternary "127.0.0.1:3000" (printf "%s-webserver:3000" (include "headwater.name" .)) (eq .Values.mode "local") -}}
{{- end -}}

{{/* Parts in pods of their own share nothing that `config` does not put elsewhere. */}}
{{- define "headwater.check" -}}
{{- if eq .Values.mode "external" -}}
{{- range list "storage_uri" "state_uri" "warehouse" "url" -}}
{{- if not (contains . $.Values.config) -}}
{{- fail (printf "mode external: `config` says no %s (dagster.storage_uri, and of each cell state_uri, warehouse, schema_registry.url)" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
