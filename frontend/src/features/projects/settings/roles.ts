import type { Schemas } from '@/api/client'

export type Role = Schemas['MembershipOut']['role']

/** The roles from the least to the most, in one sentence each. What they may do is decided on the server. */
export const ROLES: { value: Role; label: string; help: string }[] = [
  { value: 'viewer', label: 'Viewer', help: 'Sees everything, changes nothing. May ask endpoints for predictions.' },
  { value: 'annotator', label: 'Annotator', help: 'Sees everything and labels data.' },
  { value: 'reviewer', label: 'Reviewer', help: 'Sees everything and reviews labels.' },
  { value: 'editor', label: 'Editor', help: 'Uploads data, draws pipelines, starts runs, registers models.' },
  { value: 'operator', label: 'Operator', help: 'Starts runs, deploys and rolls back, reads the audit log.' },
  { value: 'owner', label: 'Owner', help: 'Everything, and who else may.' },
]
