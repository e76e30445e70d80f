{{- define "rrm.selector" -}}
app.kubernetes.io/name: rrm-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "rrm.labels" -}}
{{ include "rrm.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* Cluster-wide names carry the namespace: two releases may have the same name. */ -}}
{{- define "rrm.clusterName" -}}
{{ .Release.Namespace }}-{{ .Release.Name }}
{{- end }}
